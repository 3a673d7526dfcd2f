// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import FoundationEssentials
import Synchronization

/// The simulator's own routes under `/_sim/`, in JSON. No fault strikes them.
///
/// | request | what it does |
/// | --- | --- |
/// | `GET counts`, `GET requests?limit=` | tells what was asked |
/// | `GET accounts`, `GET accounts/{user}` | tells what each account asked |
/// | `POST accounts/{user}/revoke`, `…/restore` | revokes the grants the user has now; makes them good again |
/// | `POST grants` `{"user"}` | makes a grant |
/// | `GET`, `POST clients` | lists the OAuth clients; registers or changes one (``ClientOrder``) |
/// | `GET`, `POST`, `DELETE faults?user=` | lists, sets (``FaultOrder``), clears faults |
/// | `POST release` | lets held answers go out |
/// | `POST down` `{"for_ms"}` | refuses connections for a time |
struct ControlRoutes {
    /// Where the routes begin.
    static let prefix = "/_sim/"

    /// A control request that cannot be carried out.
    struct Refused: Error {
        /// What it is answered with.
        let reply: SimulatedReply
    }

    private struct DownOrder: Codable {
        let forMs: Double
    }

    private struct AccountView: Encodable {
        let user: String
        let revoked: Bool
        let counts: AccountCounts
    }

    private struct RequestView: Encodable {
        let atMs: Int64
        let method: String
        let path: String
        let user: String?
        let outcome: RequestOutcome
        let headers: [RequestRecord.Header]
        let fields: [String]
    }

    /// The service that is controlled.
    let service: SimulatorService

    /// Carries out a control request.
    func answer(_ request: SimulatedRequest) -> SimulatedReply {
        do throws(Refused) {
            return try route(request)
        } catch {
            return error.reply
        }
    }

    private func route(_ request: SimulatedRequest) throws(Refused) -> SimulatedReply {
        let words = request.path.dropFirst(Self.prefix.count).split(separator: "/", omittingEmptySubsequences: false)
        switch (request.method, words.first, words.count) {
        case ("GET", "counts", 1): return .json(200, service.update { $0.journal.counts })
        case ("GET", "requests", 1): return requests(request)
        case ("GET", "accounts", 1): return accounts()
        case ("GET", "accounts", 2): return account(try user(words[1]))
        case ("POST", "accounts", 3): return try change(try user(words[1]), words[2])
        case ("POST", "grants", 1): return try makeGrant(request)
        case ("GET", "clients", 1): return listClients()
        case ("POST", "clients", 1): return try registerClient(request)
        case ("GET", "faults", 1): return faults()
        case ("POST", "faults", 1): return try setFault(request)
        case ("DELETE", "faults", 1): return clearFaults(request)
        case ("POST", "release", 1): return release()
        case ("POST", "down", 1): return try goDown(request)
        default: throw refused(404, "There is no such control route")
        }
    }
}

extension ControlRoutes {
    /// The answer where there is nothing to tell.
    static let done = SimulatedReply(204)

    private func requests(_ request: SimulatedRequest) -> SimulatedReply {
        let limit = request.query["limit"].flatMap { Int($0) } ?? 100
        let records = service.update { $0.journal.requests }.suffix(max(limit, 0))
        let views = records.map { record in
            RequestView(
                atMs: record.receivedAt.milliseconds,
                method: record.method,
                path: record.path,
                user: record.account,
                outcome: record.outcome,
                headers: record.headers,
                fields: record.fields
            )
        }
        return .json(200, ["requests": views])
    }

    private func account(_ user: String) -> SimulatedReply {
        let view = service.update { state in
            AccountView(
                user: user,
                revoked: state.ledger.isRevoked(user: user),
                counts: state.journal.counts(account: user)
            )
        }
        return .json(200, view)
    }

    private func accounts() -> SimulatedReply {
        let views = service.update { state in
            state.journal.accounts.map { user, counts in
                AccountView(user: user, revoked: state.ledger.isRevoked(user: user), counts: counts)
            }
        }
        return .json(200, ["accounts": views.sorted { $0.user < $1.user }])
    }

    /// The answer goes out before the connection is ended: that comes later on the same loop.
    private func goDown(_ request: SimulatedRequest) throws(Refused) -> SimulatedReply {
        let order: DownOrder = try decode(request)
        guard (0...3.6e6).contains(order.forMs) else { throw refused(400, "for_ms must be from 0 to 3.6e6") }
        guard let goDown = service.downSwitch.withLock({ $0 }) else { throw refused(503, "Not yet") }
        goDown(.milliseconds(order.forMs))
        return Self.done
    }

    private func change(_ user: String, _ verb: Substring) throws(Refused) -> SimulatedReply {
        switch verb {
        case "revoke": service.revokeGrants(of: user)
        case "restore": service.restoreGrants(of: user)
        default: throw refused(404, "There is no such control route")
        }
        return Self.done
    }

    private func faults() -> SimulatedReply {
        let now = service.now
        let entries = service.update { $0.faults.active(at: now) }
        return .json(200, ["faults": entries.map { FaultOrder($0, at: now) }])
    }

    private func setFault(_ request: SimulatedRequest) throws(Refused) -> SimulatedReply {
        let order: FaultOrder = try decode(request)
        do {
            service.set(try order.fault(), for: order.scope)
        } catch {
            throw refused(400, error.description)
        }
        return Self.done
    }

    private func clearFaults(_ request: SimulatedRequest) -> SimulatedReply {
        service.clearFaults(request.query["user"].map { .account($0) })
        return Self.done
    }

    private func release() -> SimulatedReply {
        service.releaseHeld()
        return Self.done
    }

    private func user(_ word: Substring) throws(Refused) -> String {
        guard let user = FormText.decode(Array(word.utf8)[...], plusIsSpace: false), !user.isEmpty else {
            throw refused(400, "The user is not percent-encoded text")
        }
        return user
    }

    /// Reads a request's body.
    func decode<Order: Decodable>(_ request: SimulatedRequest) throws(Refused) -> Order {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        guard let order = try? decoder.decode(Order.self, from: Data(request.body)) else {
            throw refused(400, "The body is not what this route takes")
        }
        return order
    }

    /// A refusal with words.
    func refused(_ status: Int, _ message: String) -> Refused {
        Refused(reply: .envelope(status, "control", message))
    }
}

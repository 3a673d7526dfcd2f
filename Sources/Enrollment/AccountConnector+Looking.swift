// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import GrantInspection
import TokenCore

/// What is known before TastyTrade is asked.
extension AccountConnector {
    func row(of user: UserID) async throws(EnrollmentFailure) -> GrantRow {
        let rows: [GrantRow]
        do throws(StoreFailure) {
            rows = try await store.rows(of: [user])
        } catch {
            throw .unavailable(error, "Nothing was connected")
        }
        guard let row = rows.first else { throw .noRow(of: user) }
        return row
    }

    /// That of the name; without one that of the grant that the row has.
    func chosenClient(_ name: String?, for row: GrantRow) async throws(EnrollmentFailure) -> ChosenClient {
        // A row without a grant says nothing of the client of the next one.
        let wanted = name ?? (row.grant == .none ? nil : row.client) ?? ClientRegistration.configuredName
        guard wanted != ClientRegistration.configuredName else { return ChosenClient(configured) }
        let clients: [StoredClient]
        do throws(StoreFailure) {
            clients = try await store.clients()
        } catch {
            throw .unavailable(error, "Nothing was connected")
        }
        guard let client = clients.first(where: { $0.name == wanted }) else { throw .noClient(wanted) }
        return try ChosenClient(client, beside: configured)
    }

    /// What can be known before TastyTrade is asked.
    static func inspect(
        _ pasted: Secret,
        for client: ChosenClient,
        at now: WallTime
    ) throws(EnrollmentFailure) -> (token: Secret, notes: [String]) {
        let grant = PastedGrant(pasted)
        let findings = grant.findings(
            for: client.registration,
            wanting: client.scopes,
            at: now,
            secretReplacedAt: client.secretChangedAt
        )
        guard let token = grant.token, findings.worst != .fault else {
            let faults = findings.filter { $0.severity == .fault }
            throw EnrollmentFailure(.grantRefused, faults.sentences.joined(separator: " "))
        }
        return (token, findings.sentences)
    }

    /// What stands in the row; nil if there is nothing, or nothing that can be read.
    func refreshToken(in row: GrantRow) async throws(EnrollmentFailure) -> Secret? {
        guard case .present = row.grant else { return nil }
        do throws(StoreFailure) {
            guard case .success(let token)? = try await store.grants(of: [row.user]).first?.refreshToken else {
                return nil
            }
            return token
        } catch {
            throw .unavailable(error, "Nothing was connected")
        }
    }

    static let otherLogin =
        "This grant is of another TastyTrade login than the one that the account had until now. If that is not meant, connect it again "
        + "with the login that it had."

    /// Whether both grants say whose they are, and it is not the same person (hard case H32).
    static func isAnotherLogin(_ token: Secret, than held: Secret) -> Bool {
        guard let new = TokenContents(of: token)?.subject, let old = TokenContents(of: held)?.subject else {
            return false
        }
        return new != old
    }
}

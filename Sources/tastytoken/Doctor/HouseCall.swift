// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import SocketAPI

/// Looks at a daemon from outside: whether it is there, how it does, which accounts are in trouble, and whether its OAuth clients can be used.
struct HouseCall {
    private let client: SocketClient

    /// Looks at the daemon at that socket.
    init(_ client: SocketClient) {
        self.client = client
    }

    /// Asks, and gives a line for each thing that there is to say.
    ///
    /// - Returns: the lines, and how the process is to end.
    func make() -> (lines: [VerdictLine], exit: ToolExit) {
        var lines: [VerdictLine]
        do throws(Failure) {
            lines = try daemonLines()
        } catch {
            // Who is not there says nothing of accounts and clients either.
            return ([Self.away(error, at: client.path)], error.exit)
        }
        lines += accountLines()
        do throws(Failure) {
            lines += try clientLines()
        } catch {
            lines.append(Self.unseen("clients", error))
        }
        let failing = lines.filter { $0.severity == .fail }
        let needsAPerson = failing.contains { !$0.mayPass }
        return (lines, VerdictLine.exit(isFailing: !failing.isEmpty, needsAPerson: needsAPerson))
    }

    /// What is said of a part that could not be asked, beside what was found elsewhere.
    private static func unseen(_ subject: String, _ failure: Failure) -> VerdictLine {
        VerdictLine(
            .fail,
            subject,
            "Not all of it could be looked at: \(sentence(failure))",
            mayPass: failure.isPassing
        )
    }

    private static func sentence(_ failure: Failure) -> String {
        failure.text + (failure.text.hasSuffix(".") ? "" : ".")
    }

    private func get(_ target: String) throws(Failure) -> HTTPReply {
        try client.get(target, within: SocketClient.patience)
    }

    private static func away(_ failure: Failure, at path: String) -> VerdictLine {
        VerdictLine(
            .fail,
            "daemon",
            sentence(failure),
            remedy:
                "Look at the service (systemctl status tastytokend, journalctl -u tastytokend), at what it needs (tastytokend check), and "
                + "at the socket's path, group and mode (ls -l \(Failure.shown(path)))."
        )
    }
}

// MARK: - The daemon

extension HouseCall {
    private func daemonLines() throws(Failure) -> [VerdictLine] {
        let reply = try get(APIPath.summary)
        guard reply.status != 403 else { return [try readiness()] }
        return try HouseLines(reply.decoded(HouseSummary.self, of: nil), tool: ProductVersion.current).lines
    }

    /// All that anybody may know.
    private func readiness() throws(Failure) -> VerdictLine {
        let isReady = try get(APIPath.ready).status == 200
        return VerdictLine(
            isReady ? .note : .warn,
            "daemon",
            "It answers, and \(isReady ? "has loaded its accounts" : "still loads its accounts"). How it does is not for this user to see.",
            remedy: "Ask as the daemon's user or as one who has the right status for all users (access)."
        )
    }
}

// MARK: - Accounts and clients

extension HouseCall {
    /// So many users of each status are named.
    private static let named = 3

    private typealias Trouble = (status: String, severity: DiagnosisReply.Severity, remedy: String, mayPass: Bool)

    /// The statuses in which somebody is to look at an account, with what mends it, and whether that may come by itself.
    private static let troubles: [Trouble] = [
        ("reauthorization_required", .fail, "Connect them again: tastytoken grant add USER.", false),
        ("unknown_outcome", .fail, "Connect them again: tastytoken grant add USER.", false),
        ("unreadable", .fail, "See tastytoken explain USER: a key is missing, or a column is damaged.", false),
        ("expired", .fail, "See tastytoken doctor USER: their tokens are dead; the daemon keeps trying.", true),
        ("degraded", .warn, "See tastytoken doctor USER: their tokens live, and refreshes fail.", true),
    ]

    private func accountLines() -> [VerdictLine] {
        var lines: [VerdictLine] = []
        for trouble in Self.troubles {
            do throws(Failure) {
                let reply = try get(APIPath.list(ofStatus: trouble.status, limit: Self.named + 1))
                // A daemon that still loads has said so; whoever may see nobody is told of nobody.
                guard reply.status != 403, reply.status != 503 else { return lines }
                let users = try AccountPage(list: reply).entries.map { Failure.shown($0.status.user) }
                if !users.isEmpty { lines.append(Self.line(of: users, trouble)) }
            } catch {
                return lines + [Self.unseen("accounts", error)]
            }
        }
        return lines.isEmpty ? [VerdictLine(.ok, "accounts", "None is in trouble.")] : lines
    }

    private static func line(of users: [String], _ trouble: Trouble) -> VerdictLine {
        let names = users.prefix(named).joined(separator: ", ")
        let more = users.count > named ? " and others" : ""
        return VerdictLine(
            trouble.severity,
            "accounts",
            "\(trouble.status): \(users.count == 1 ? "user" : "users") \(names)\(more).",
            remedy: trouble.remedy,
            mayPass: trouble.mayPass
        )
    }

    private struct Clients: Decodable {
        let clients: [ClientReply]
    }

    private func clientLines() throws(Failure) -> [VerdictLine] {
        let reply = try get(APIPath.clients)
        switch reply.status {
        case 403:
            return [
                VerdictLine(
                    .note,
                    "clients",
                    "The OAuth clients are not for this user to see: it takes the right admin."
                )
            ]
        case 503:
            let why = reply.failure(of: nil).text
            return [VerdictLine(.warn, "clients", why, mayPass: true)]
        default: break
        }
        let clients = try reply.decoded(Clients.self, of: nil).clients
        let obstructed = clients.compactMap { client in
            client.obstacle.map { obstacle in
                VerdictLine(
                    client.accounts > 0 ? .fail : .warn,
                    "client \(client.name)",
                    "It cannot be used, and \(client.accounts) accounts have grants of it: \(obstacle).",
                    remedy: "Put the missing key back, or set its secret again: tastytoken client set \(client.name)."
                )
            }
        }
        guard obstructed.isEmpty else { return obstructed }
        let count =
            clients.count == 1 ? "The OAuth client can be used." : "All \(clients.count) OAuth clients can be used."
        return [VerdictLine(.ok, "clients", count)]
    }
}

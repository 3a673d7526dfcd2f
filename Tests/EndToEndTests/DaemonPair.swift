// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import TestSupport
import Testing
import TokenSimulator

/// Two daemons on one database, each with a socket and a state folder of its own.
struct DaemonPair {
    let installation: Installation

    /// Where the daemon of that name answers.
    func socket(of name: String) -> String { "\(installation.folder)/\(name)/api.sock" }

    private func settings(_ name: String) throws -> [String: String] {
        let folder = "\(installation.folder)/\(name)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        return ["SOCKET_PATH": socket(of: name), "STATE_DIRECTORY": folder]
    }

    /// Starts the daemon of that name, and waits until it is ready.
    func start(_ name: String) async throws -> RunningProgram {
        let daemon = try installation.startDaemon(settings(name))
        try await eventually("daemon \(name) is ready; it said: \(daemon.errors)") {
            (try? SocketProbe.get("/readyz", at: socket(of: name)).status) == 200
        }
        return daemon
    }

    /// Has the daemon refresh an account; it is too soon for that for a while after the last one.
    func order(_ name: String, _ user: Int) async throws {
        try await eventually("\(name) takes an order") {
            try SocketProbe.orderRefresh(of: user, at: socket(of: name)).status != 429
        }
    }

    /// Starts two daemons that hear of each other, with a token for account 1 at both.
    func startBoth() async throws -> (a: RunningProgram, b: RunningProgram, token: String) {
        installation.simulator.set(Fault(.rotation(.strict)))
        #expect(try await installation.tastytokend("migrate").status == 0)
        let (a, b) = (try await start("a"), try await start("b"))
        var token = ""
        try await eventually("both serve one token, which is in its row") {
            guard let mine = try? tokens("a", of: 1...1), let theirs = try? tokens("b", of: 1...1) else {
                return false
            }
            token = mine[0]
            return try await stored() == token && mine == theirs
        }
        return (a, b, token)
    }

    /// The access token in the row of account 1.
    func stored() async throws -> String {
        try await value("SELECT tastytrade_oauth_token FROM users WHERE id = 1")
    }

    /// What the database says.
    func value(_ query: String) async throws -> String {
        try await installation.postgres.query(query).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// The tokens that this daemon serves; fails if an account has none.
    func tokens(_ name: String, of users: ClosedRange<Int>) throws -> [String] {
        var probe = try SocketProbe(at: socket(of: name))
        let replies = try probe.get(users.map { "/v1/users/\($0)/token?min_ttl=0&max_wait=0" })
        return try zip(users, replies).map { user, reply in
            guard reply.status == 200, let token: String = reply.member("access_token") else {
                let account = try probe.get(["/v1/users/\(user)"])[0].body
                throw Overdue(description: "\(name): \(reply.status) \(reply.body) \(account)")
            }
            return token
        }
    }
}

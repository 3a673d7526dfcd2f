// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import TestSupport
import Testing
import TokenSimulator

/// What the suites ask of a daemon over and over.
extension Installation {
    /// The tokens that a daemon serves, without any wait and however short they live.
    ///
    /// - Parameters:
    ///   - users: whose.
    ///   - socket: the daemon's.
    /// - Returns: them in the order of the users.
    /// - Throws: that an account has none, with the daemon's words.
    static func tokens(of users: some Collection<Int>, at socket: String) throws -> [String] {
        var probe = try SocketProbe(at: socket)
        return try probe.get(users.map { "/v1/users/\($0)/token?min_ttl=0&max_wait=0" }).map { reply in
            guard reply.status == 200, let token: String = reply.member("access_token") else {
                throw Overdue(description: "\(reply.status) \(reply.body)")
            }
            return token
        }
    }

    /// The same of the daemon at the usual socket.
    func tokens(of users: some Collection<Int>) throws -> [String] {
        try Self.tokens(of: users, at: socket)
    }

    /// The token that the daemon serves to one account; throws where there is none.
    func token(of user: Int) throws -> String {
        try tokens(of: CollectionOfOne(user))[0]
    }

    /// How accounts stand, by what the daemon says of each.
    func statuses(of users: some Collection<Int>) throws -> [String] {
        var probe = try SocketProbe(at: socket)
        return try probe.get(users.map { "/v1/users/\($0)" }).compactMap { $0.member("status") }
    }

    /// Whether every row holds the token that is served of it; `users` are all there are.
    func isStored(of users: some Collection<Int>, in server: TemporaryPostgres? = nil) async throws -> Bool {
        guard let served = try? tokens(of: users) else { return false }
        return try await (server ?? postgres).query("SELECT tastytrade_oauth_token FROM users ORDER BY id")
            .split(separator: "\n").map(String.init) == served
    }

    /// Waits until each of these accounts has another token than it had.
    func everybodyIsRefreshed(_ users: some Collection<Int>, _ what: String) async throws {
        let before = Set(try tokens(of: users))
        try await eventually(within: 90, "\(what); now: \((try? statuses(of: users)) ?? [])") {
            guard let now = try? tokens(of: users) else { return false }
            return before.isDisjoint(with: now)
        }
    }

    /// No grant was killed, no spent refresh token sent, and no account called for twice at a time, as the simulator counted.
    func expectNothingLost() {
        #expect(simulator.counts.grantsLost == 0)
        #expect(simulator.counts.reused == 0)
        #expect(simulator.counts.overlaps == 0)
    }

    /// Adds a key to a file, and gives its id as `tastytokend keygen` told it.
    func keygen(_ path: String) async throws -> String {
        let end = try await tastytokend("keygen", arguments: [path])
        #expect(end.status == 0, "\(end.errors)")
        let words = end.output.split(separator: " ")
        return String(try #require(words.count == 5 ? words[2] : nil))
    }

    /// Writes the configuration's file, which a daemon reads at its start and at SIGHUP.
    func put(configuration text: String) throws {
        try text.write(toFile: "\(folder)/config.yaml", atomically: true, encoding: .utf8)
    }
}

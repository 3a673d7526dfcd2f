// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import TestSupport
import Testing

/// `GET /v1/users` of the daemon as it was built, at a hundred thousand accounts.
@Suite(.serialized, .timeLimit(.minutes(5))) struct UserListTests {
    private static let count = 100_000

    private struct Walk: Sendable {
        var users: [Int] = []
        var cursors: [Int] = []
        var pageTimes: [Duration] = []

        var words: String {
            let sorted = pageTimes.sorted()
            let middle = sorted[sorted.count / 2].milliseconds
            let (first, last) = (pageTimes[0].milliseconds, (pageTimes.dropLast().last ?? .zero).milliseconds)
            return
                "\(users.count) accounts, \(pageTimes.count) pages, ms a page: \(middle) in the middle, \(first) the first, "
                + "\(last) the last but one, \(sorted[sorted.count - 1].milliseconds) the longest; "
                + "\(pageTimes.reduce(.zero, +).milliseconds) ms in all"
        }
    }

    /// Walks through all pages, a token of somebody read on another connection after each.
    private static func walk(
        _ socket: String,
        _ filter: String = "",
        betweenPages: (Int) throws -> Void = { _ in }
    ) throws
        -> Walk
    {
        var probe = try SocketProbe(at: socket)
        var reader = try SocketProbe(at: socket)
        var walk = Walk()
        var next: String? = "0"
        while let after = next {
            let begin = ContinuousClock.now
            let reply = try probe.get(["/v1/users?limit=1000&after=\(after)\(filter)"])[0]
            walk.pageTimes.append(ContinuousClock.now - begin)
            #expect(reply.status == 200)
            let users = try #require(reply.member("users", as: [[String: Any]].self))
            walk.users += users.compactMap { ($0["user"] as? String).flatMap { Int($0) } }
            next = reply.member("next")
            if let next { walk.cursors.append(try #require(Int(next))) }
            #expect(try reader.get(["/v1/users/1/token?max_wait=0"])[0].status == 200)
            try betweenPages(walk.pageTimes.count)
        }
        return walk
    }

    /// Tokens that live for longer than the test takes, each row its own, every fourth without a grant.
    private func fill(_ installation: Installation) async throws {
        try await installation.postgres.execute(
            """
            INSERT INTO users (tastytrade_oauth_refresh_token, tastytrade_oauth_token, tastytrade_oauth_expires_at)
            SELECT CASE WHEN number % 4 <> 0 THEN 'grant-' || number END, 'token-' || number,
              (now() AT TIME ZONE 'utc') + interval '890 seconds'
            FROM generate_series(1, \(Self.count)) number
            """
        )
    }

    @Test func everybodyComesOnceAlsoWhileAccountsComeAndGo() async throws {
        let settings = ["DATABASE_RECONCILE_EVERY": "1s", "LOG_LEVEL": "warning"]
        try await Installation.with(accounts: 0, settings: settings) { installation in
            try await fill(installation)
            #expect(try await installation.tastytokend("migrate").status == 0)
            let daemon = try await installation.startReadyDaemon()
            let socket = installation.socket
            let all = "&status=active,refreshing,degraded,expired,no_grant"
            let whole = try await onThread { try Self.walk(socket, all) }
            print("list of all: \(whole.words)")
            #expect(whole.users.count == Self.count && Set(whole.users) == Set(1...Self.count))
            #expect(whole.cursors == whole.cursors.sorted() && Set(whole.cursors).count == whole.cursors.count)
            let usual = try await onThread { try Self.walk(socket) }
            print("list as usual: \(usual.words)")
            #expect(usual.users == whole.users.filter { !$0.isMultiple(of: 4) })
            let rest = try await onThread { try Self.walk(socket, "&status=no_grant") }
            print("list of a quarter: \(rest.words)")
            #expect(rest.users == whole.users.filter { $0.isMultiple(of: 4) })

            let changing = try await changes(installation, socket, all)
            let stayed = Set(2_001...98_000)
            let seen = changing.users.filter(stayed.contains)
            #expect(seen.count == stayed.count && Set(seen) == stayed, "who stays comes once")
            #expect(Set(changing.users).count == changing.users.count)
            #expect(try await installation.stop(daemon).status == 0)
        }
    }

    /// Walks while rows at both ends go, but for the first, and new ones come; waits until that has been seen.
    private func changes(_ installation: Installation, _ socket: String, _ filter: String) async throws -> Walk {
        let change = """
            DELETE FROM users WHERE id BETWEEN 2 AND 2000 OR id BETWEEN 98001 AND 100000;
            INSERT INTO users (id, tastytrade_oauth_token, tastytrade_oauth_expires_at)
            SELECT number, 'token-' || number, (now() AT TIME ZONE 'utc') + interval '890 seconds'
            FROM generate_series(200001, 202000) number
            """
        let url = installation.postgres
        let gate = DispatchSemaphore(value: 0)
        async let changed: Void = {
            try await url.execute(change)
            try await eventually("the change is seen") {
                let gone = try SocketProbe.get("/v1/users/2", at: socket).status == 404
                return try gone && SocketProbe.get("/v1/users/202000", at: socket).status == 200
            }
            gate.signal()
        }()
        let walk = try await onThread {
            // From the fiftieth page on all of it is done: some was before the cursor, and some is still to come.
            try Self.walk(socket, filter) { if $0 == 50 { _ = gate.wait(timeout: .now() + 60) } }
        }
        try await changed
        return walk
    }
}

extension Duration {
    fileprivate var milliseconds: Int {
        Int(components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000)
    }
}

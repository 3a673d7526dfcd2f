// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import TestSupport
import Testing
import TokenSimulator

/// An application reads a row, the daemons refresh it, and the application writes all of it back as it was (hard case H5): with a
/// provider whose refresh tokens work once, sending what stands there then would cost the grant.
@Suite(.timeLimit(.minutes(4))) struct WriteBackTests {
    private static let users = 1...4
    private static let settings = [
        "DATABASE_RECONCILE_EVERY": "2s", "REFRESH_CLAIM_FOR": "10s", "REFRESH_TIMEOUT": "5s",
    ]

    @Test(arguments: ["as it is", "with both daemons started anew"])
    func h5WholeRowsThatAreWrittenBackCostNoGrant(how: String) async throws {
        try await Installation.with(
            accounts: Self.users.count,
            lifetime: .seconds(20),
            settings: Self.settings
        ) { installation in
            let pair = DaemonPair(installation: installation)
            var (a, b, _) = try await pair.startBoth()
            try await eventually("everybody has a token") { (try? pair.tokens("a", of: Self.users)) != nil }
            let refreshTokens = "SELECT string_agg(tastytrade_oauth_refresh_token, ',' ORDER BY id) FROM users"
            try await installation.postgres.execute("CREATE TABLE before AS SELECT * FROM users")
            let before = try await pair.value(refreshTokens)
            try await eventually("everybody's refresh token was replaced once more") {
                let now = try await pair.value(refreshTokens)
                return Set(now.split(separator: ",")).isDisjoint(with: before.split(separator: ","))
            }
            if how != "as it is" {
                for daemon in [a, b] { #expect(try await installation.stop(daemon).status == 0) }
                (a, b) = (try await pair.start("a"), try await pair.start("b"))
            }
            try await installation.postgres.execute(
                """
                UPDATE users u SET (tastytrade_oauth_token, tastytrade_oauth_refresh_token, tastytrade_oauth_expires_at) =
                    (b.tastytrade_oauth_token, b.tastytrade_oauth_refresh_token, b.tastytrade_oauth_expires_at)
                FROM before b WHERE b.id = u.id
                """
            )
            if how == "as it is" {
                for round in 1...2 {
                    let served = Set(try pair.tokens("a", of: Self.users))
                    try await eventually("everybody is refreshed, round \(round); it said: \(a.errors.suffix(3000))") {
                        guard let now = try? pair.tokens("a", of: Self.users) else { return false }
                        return served.isDisjoint(with: now)
                    }
                }
                #expect(try await pair.value(refreshTokens) != before)
            } else {
                // Nobody has the successors any more: nothing is sent, and everybody is told why.
                try await eventually("it is told") {
                    try ["a", "b"].allSatisfy { name in
                        try Self.users.allSatisfy { user in
                            let reply = try SocketProbe.get("/v1/users/\(user)", at: pair.socket(of: name))
                            return reply.member("status") == "unreadable" && reply.body.contains("is spent")
                        }
                    }
                }
            }
            installation.expectNothingLost()
            for daemon in [a, b] { #expect(try await installation.stop(daemon).status == 0) }
        }
    }
}

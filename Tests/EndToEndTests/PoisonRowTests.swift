// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import TestSupport
import Testing
import TokenSimulator

/// H29 with the built daemon: one row among good ones holds every odd value that its columns can hold.
@Suite(.timeLimit(.minutes(4))) struct PoisonRowTests {
    /// SQL for the three columns: access token, refresh token, expiry.
    private static let oddities = [
        "'a', 'r', 'infinity'", "'a', 'r', '-infinity'", "'a', 'r', '294276-12-31 23:59:59.999999'",
        "'a', 'r', '4713-01-01 00:00:00 BC'", "'a', 'r', '0001-01-01'", "'a', 'r', '2262-04-12'",
        "'a', 'r', '1677-09-20'",
        "'a', 'r', '1970-01-01'", "'a', 'r', NULL", "NULL, 'r', 'infinity'", "'', '', 'infinity'", "' ', E'\\t', now()",
        "'a', '', now()", "'a', NULL, 'infinity'", "repeat('a', 3000000), 'r', 'infinity'",
        "'a', repeat('r', 3000000), now()",
        "E'a\\nb', 'r', 'infinity'", "'a', E'r\\r\\nX-Odd: 1', now()", "E'\\u0001\\u007f', 'r', 'infinity'",
        "E'\\U0001F4A3', E'\\uFFFD\\u202E', 'infinity'",
        "'{\"p\":\"x\",\"h\":{}}', '{\"p\":\"\",\"h\":{\"iv\":1}}', now()",
        "'eyJhbGciOiJkaXIifQ..AA.AA.AA', 'eyJ..', 'infinity'", "'null', 'null', '9999-12-31'", "'%00', '%n%s', now()",
    ]

    @Test func h29OneRowsOddValuesStopNobody() async throws {
        let settings = ["DATABASE_RECONCILE_EVERY": "1s"]
        try await Installation.with(accounts: 22, lifetime: .seconds(60), settings: settings) { installation in
            let daemon = try await installation.startReadyDaemon()
            let (poisoned, control, others) = (11, 22, Array(1...21).filter { $0 != 11 })
            let paths = others.map { "/v1/users/\($0)/token?min_ttl=0&max_wait=0" }
            try await eventually("everybody has a token") {
                var probe = try SocketProbe(at: installation.socket)
                return try probe.get(paths).allSatisfy { $0.status == 200 }
            }
            let watch = TokenWatch(others, at: installation)
            for (number, oddity) in Self.oddities.enumerated() {
                try await installation.postgres.execute(
                    """
                    BEGIN;
                    UPDATE users SET (tastytrade_oauth_token, tastytrade_oauth_refresh_token, tastytrade_oauth_expires_at)
                        = (SELECT \(oddity)::timestamp) WHERE id = \(poisoned);
                    UPDATE users SET tastytrade_oauth_token = 'control-\(number)',
                        tastytrade_oauth_expires_at = now() at time zone 'UTC' + \(600 + number) * interval '1 second'
                        WHERE id = \(control);
                    COMMIT;
                    """
                )
                // What was changed with it is known: so it has been read, too.
                try await eventually("the change is found: \(oddity)") {
                    let path = "/v1/users/\(control)/token?min_ttl=0&max_wait=0"
                    return try SocketProbe.get(path, at: installation.socket).body.contains("control-\(number)")
                }
                let reply = try SocketProbe.get("/v1/users/\(poisoned)/explain", at: installation.socket)
                #expect(reply.status == 200 && daemon.isRunning, "\(oddity): \(reply.body)")
            }
            let findings = try await watch.end()
            #expect(findings.refusals.isEmpty && findings.dead.isEmpty, "\(findings.refusals.prefix(3))")
            #expect(try await installation.stop(daemon).status == 0)
            // The last of them is there at the start, too.
            let next = try await installation.startReadyDaemon()
            let grant = try installation.simulator.makeGrant(for: "\(poisoned)")
            try await installation.postgres.execute(
                "UPDATE users SET tastytrade_oauth_refresh_token = '\(grant)', tastytrade_oauth_token = NULL WHERE id = \(poisoned)"
            )
            try await eventually("a good grant mends it") {
                let path = "/v1/users/\(poisoned)/token?min_ttl=0&max_wait=0"
                return try SocketProbe.get(path, at: installation.socket).status == 200
            }
            #expect(try await installation.stop(next).status == 0)
        }
    }
}

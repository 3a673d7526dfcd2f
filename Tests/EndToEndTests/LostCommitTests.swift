// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import TestSupport
import Testing
import TokenSimulator

/// H6 with the built daemon: the database commits, and its answer never comes.
@Suite(.timeLimit(.minutes(5))) struct LostCommitTests {
    /// One way to lose it.
    struct Loss: Sendable, CustomTestStringConvertible {
        let rotates: Bool
        var isSealed = false
        var ending = DatabaseProxy.LostAnswer.cut

        var testDescription: String {
            "\(rotates ? "rotating" : "keeping")\(isSealed ? ", sealed" : ""), then \(ending)"
        }
    }

    private static let settings = [
        "REFRESH_CLAIM_FOR": "10s", "REFRESH_TIMEOUT": "5s", "DATABASE_RECONCILE_EVERY": "2s",
    ]

    /// Orders a refresh until one is made: too soon after another it is not.
    private func orderRefresh(_ installation: Installation) async throws {
        let made = installation.simulator.counts.made
        try await eventually("a refresh is made") {
            var probe = try SocketProbe(at: installation.socket)
            _ = try probe.exchange(
                "POST /v1/users/1/refresh?max_wait=0 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"
            )
            return installation.simulator.counts.made > made
        }
    }

    private func rest(_ installation: Installation) async throws {
        try await eventually("nothing is open any more") {
            let summary = try SocketProbe.get("/v1/status", at: installation.socket).body
            let status: String? = try SocketProbe.get("/v1/users/1", at: installation.socket).member("status")
            return status == "active" && summary.contains(#""journal":{"entries":0,"trouble":null}"#)
        }
    }

    /// How often the row was written so far.
    private func writes(_ installation: Installation) async throws -> Int? {
        Int(try await installation.postgres.query("SELECT count(*) FROM written"))
    }

    /// Runs a daemon behind a proxy, with one account that has a token.
    private func with(_ loss: Loss, _ body: (Installation, DatabaseProxy) async throws -> Void) async throws {
        var settings = Self.settings
        if loss.isSealed { settings["ENCRYPTION_MODE"] = "jwe" }
        try await Installation.with(accounts: 1, lifetime: .seconds(600), settings: settings) { installation in
            if loss.rotates { installation.simulator.set(Fault(.rotation(.strict))) }
            try await installation.postgres.execute(
                """
                CREATE TABLE written (token text);
                CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
                    $$ BEGIN INSERT INTO written VALUES (NEW.tastytrade_oauth_token); RETURN NULL; END $$;
                CREATE TRIGGER note AFTER UPDATE ON users FOR EACH ROW EXECUTE FUNCTION note();
                """
            )
            try await withDatabaseProxy(before: installation.postgres) { proxy in
                var more = ["DATABASE_URL": proxy.url()]
                if loss.isSealed {
                    let path = "\(installation.folder)/keys.json"
                    #expect(try await installation.tastytokend("keygen", arguments: [path]).status == 0)
                    more["ENCRYPTION_JWE_KEYS_FILE"] = path
                }
                let daemon = try await installation.startReadyDaemon(more)
                try await eventually("the account has a token") { (try? installation.token(of: 1)) != nil }
                try await rest(installation)
                try await body(installation, proxy)
                #expect(installation.simulator.counts.grantsLost == 0)
                #expect(installation.simulator.counts.reused == 0)
                #expect(try await installation.stop(daemon).status == 0)
            }
        }
    }

    @Test(arguments: [
        Loss(rotates: true), Loss(rotates: true, ending: .silence), Loss(rotates: true, isSealed: true),
        Loss(rotates: false), Loss(rotates: false, ending: .silence),
    ])
    func h6AWriteWhoseCommitIsNotAcknowledgedIsFoundAndNotMadeAgain(_ loss: Loss) async throws {
        try await with(loss) { installation, proxy in
            let first = try installation.token(of: 1)
            #expect(try await writes(installation) == 1)
            let watch = TokenWatch([1], at: installation)
            proxy.loseAnswer(to: "AS i (id, access, expires", then: loss.ending)
            try await orderRefresh(installation)
            try await eventually("the answer is lost") { proxy.counts.lostAnswers == 1 }
            #expect(try await writes(installation) == 2, "the database did what it was asked to")
            try await eventually("the new token is served") { try installation.token(of: 1) != first }
            try await rest(installation)
            let second = try installation.token(of: 1)
            #expect(try await writes(installation) == 2, "nothing is written twice")
            #expect(installation.simulator.counts.made == 2, "no call is made for it")
            let findings = try await watch.end()
            #expect(findings.refusals.isEmpty, "\(findings.refusals.prefix(3))")
            #expect(findings.dead.isEmpty)
            try await orderRefresh(installation)
            try await eventually("what was stored is good for the next") { try installation.token(of: 1) != second }
            try await rest(installation)
            #expect(try await writes(installation) == 3)
        }
    }

    @Test(arguments: [DatabaseProxy.LostAnswer.cut, .silence])
    func h6AClaimWhoseCommitIsNotAcknowledgedIsMadeAgainAndTheCallOnce(_ ending: DatabaseProxy.LostAnswer) async throws
    {
        try await with(Loss(rotates: true)) { installation, proxy in
            let first = try installation.token(of: 1)
            proxy.loseAnswer(to: "INSERT INTO tastytokend.claims AS c", then: ending)
            try await orderRefresh(installation)
            #expect(proxy.counts.lostAnswers == 1)
            try await eventually("the new token is served") { try installation.token(of: 1) != first }
            try await rest(installation)
            #expect(installation.simulator.counts.made == 2)
            #expect(try await writes(installation) == 2)
        }
    }
}

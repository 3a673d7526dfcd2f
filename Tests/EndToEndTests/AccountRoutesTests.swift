// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import TestSupport
import Testing
import TokenSimulator

/// Refreshes on demand, lists and explanations, from the client tool to the simulator.
@Suite(.timeLimit(.minutes(2))) struct AccountRoutesTests {
    private func json(_ text: String) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any], "\(text)")
    }

    private func etag(_ reply: SocketProbe.Reply) -> String? {
        reply.head.split(separator: "\r\n").first { $0.hasPrefix("ETag: ") }.map { String($0.dropFirst(6)) }
    }

    @Test func aTokenThatWasTurnedDownIsReplacedOnce() async throws {
        try await Installation.with(accounts: 1) { installation in
            let daemon = try await installation.startReadyDaemon()
            let first = try SocketProbe.get("/v1/users/1/token", at: installation.socket)
            let etag = try #require(self.etag(first))
            // The floor between two orders has gone by when this succeeds.
            var refreshed = try await installation.tastytoken("refresh", "1", "--if-match", etag)
            while refreshed.status == 75 {
                try await Task.sleep(for: .milliseconds(200))
                refreshed = try await installation.tastytoken("refresh", "1", "--if-match", etag)
            }
            #expect(refreshed.status == 0, "\(refreshed.errors)")
            let second = try SocketProbe.get("/v1/users/1/token", at: installation.socket)
            #expect(self.etag(second) != etag)
            let token = try #require(try json(second.body)["access_token"] as? String)
            #expect(installation.simulator.user(ofLiveToken: token) == "1")
            #expect(!(refreshed.output + refreshed.errors).contains(token))
            let again = try await installation.tastytoken("refresh", "1", "--if-match", etag)
            #expect(again.status != 0 && again.errors.contains("If-Match"), "\(again.errors)")
            let soon = try await installation.tastytoken("refresh", "1")
            #expect(soon.status == 75, "\(soon.errors)")
            _ = try await installation.stop(daemon)
        }
    }

    @Test func allAccountsAreListedAndExplained() async throws {
        try await Installation.with(accounts: 3) { installation in
            try await installation.postgres.execute(
                "UPDATE users SET tastytrade_oauth_refresh_token = NULL WHERE id = 2"
            )
            let daemon = try await installation.startReadyDaemon()
            try await eventually("both have a token") {
                let list = try await installation.tastytoken("status")
                #expect(list.status == 0, "\(list.errors)")
                return list.output.split(separator: "\n").filter { $0.contains("active") }.count == 2
            }
            let body = try SocketProbe.get("/v1/users?limit=1", at: installation.socket).body
            #expect((try json(body)["users"] as? [Any])?.count == 1)
            #expect(try json(body)["next"] is String)
            let explained = try await installation.tastytoken("explain", "2")
            #expect(explained.status == 0 && explained.output.contains("The row has no refresh token."))
            let attempts =
                try json(try await installation.tastytoken("explain", "1", "--json").output)["attempts"] as? [Any]
            #expect(attempts?.count == 1)
            let summary = try json(SocketProbe.get("/v1/status", at: installation.socket).body)
            #expect((summary["accounts"] as? [String: Any])?["total"] as? Int == 3)
            _ = try await installation.stop(daemon)
        }
    }
}

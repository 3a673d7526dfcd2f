// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Testing

@testable import TokenSimulator

/// `POST /oauth/token` over HTTP: every check of the real endpoint.
@Suite(.timeLimit(.minutes(2))) struct TokenRouteTests {
    @Test func aGoodRequestGetsATokenAndNoRefreshToken() async throws {
        try await Caller.with { caller in
            let reply = try await caller.refresh(try caller.simulator.makeGrant(for: "42"))
            #expect(reply.status == 200)
            #expect(reply.headers["content-type"] == "application/json")
            #expect(Set(reply.json.keys) == ["access_token", "token_type", "expires_in"])
            #expect(reply.json["token_type"] == "Bearer")
            #expect(reply.json["expires_in"] == 900)
            let token = try #require(reply.json["access_token"]?.text)
            #expect(caller.simulator.user(ofLiveToken: token) == "42")
        }
    }

    @Test func aFormIsAsGoodAsJSON() async throws {
        try await Caller.with { caller in
            let token = try caller.simulator.makeGrant(for: "42")
            let body = "grant_type=refresh_token&refresh_token=\(token)&client_secret=\(Caller.secret)&scope=read+trade"
            let type = ["Content-Type": "application/x-www-form-urlencoded; charset=utf-8"]
            let reply = try await caller.call("POST", "/oauth/token", headers: Caller.agent + type, body: body)
            #expect(reply.status == 200)
        }
    }

    @Test func noTwoTokensAreTheSame() async throws {
        try await Caller.with { caller in
            let grant = try caller.simulator.makeGrant(for: "42")
            var tokens: Set<String> = []
            for _ in 0..<20 {
                let reply = try await caller.refresh(grant)
                tokens.insert(try #require(reply.json["access_token"]?.text))
            }
            #expect(tokens.count == 20)
        }
    }

    @Test(arguments: [[:], ["User-Agent": "node"]])
    func anOddUserAgentGetsAGatewaysPage(headers: [String: String]) async throws {
        try await Caller.with { caller in
            let grant = try caller.simulator.makeGrant(for: "42")
            let reply = try await caller.post(Caller.fields(grant), headers: headers)
            #expect(reply.status == 401)
            #expect(reply.headers["content-type"] == "text/html")
            #expect(reply.text.contains("<title>401 Authorization Required</title>"))
            #expect(caller.simulator.counts.count(.userAgentRefused) == 1)
        }
    }

    @Test func anAuthorizationHeaderIsRefused() async throws {
        try await Caller.with { caller in
            let grant = try caller.simulator.makeGrant(for: "42")
            let headers = Caller.agent + ["Authorization": "Bearer planted"]
            let reply = try await caller.post(Caller.fields(grant), headers: headers)
            #expect(reply.status == 400)
            #expect(reply.json["error_code"] == "invalid_request")
            let shown = try #require(caller.simulator.requests.first).headers
            #expect(shown.first { $0.name == "Authorization" }?.value == "<redacted>")
        }
    }

    struct Change: Sendable {
        let field: String
        let value: String?
        let status: Int
        let code: JSON
        let description: JSON?

        init(_ field: String, _ value: String?, _ status: Int, _ code: JSON, _ description: JSON? = nil) {
            (self.field, self.value, self.status) = (field, value, status)
            (self.code, self.description) = (code, description)
        }
    }

    @Test(arguments: [
        Change("client_secret", "wrong", 401, "invalid_client", "Client secret mismatch"),
        Change("client_secret", nil, 401, "invalid_client", "Client secret mismatch"),
        Change("client_id", "another", 401, "invalid_client"),
        Change("grant_type", "password", 400, "unsupported_grant_type"),
        Change("grant_type", nil, 400, "invalid_request"),
        Change("refresh_token", nil, 400, "invalid_request"),
        Change("refresh_token", "", 400, "invalid_request"),
        Change("refresh_token", "def50200", 400, "invalid_grant", "Invalid JWT"),
        Change("refresh_token", "a.b.c", 400, "invalid_grant", "Invalid JWT"),
    ])
    func eachFieldIsChecked(change: Change) async throws {
        try await Caller.with { caller in
            var fields = Caller.fields(try caller.simulator.makeGrant(for: "42"))
            fields[change.field] = change.value
            let reply = try await caller.post(fields)
            #expect(reply.status == change.status)
            #expect(reply.json["error_code"] == change.code)
            if let description = change.description { #expect(reply.json["error_description"] == description) }
        }
    }

    @Test func theRightClientIDIsTaken() async throws {
        try await Caller.with { caller in
            let grant = try caller.simulator.makeGrant(for: "42")
            let reply = try await caller.post(Caller.fields(grant) + ["client_id": SimulatedClient().id])
            #expect(reply.status == 200)
        }
    }

    @Test func anAccessTokenIsNoRefreshToken() async throws {
        try await Caller.with { caller in
            let access = try await caller.refresh(try caller.simulator.makeGrant(for: "42")).json["access_token"]
            let reply = try await caller.refresh(try #require(access?.text))
            #expect(reply.json["error_description"] == "Invalid JWT")
        }
    }

    @Test func anotherClientsGrantIsRefusedAndAnotherSimulatorsOfTheSameSeedIsTaken() async throws {
        try await Caller.with { caller in
            var elsewhere = SimulatorConfiguration(keySeed: "test", randomSeed: 99)
            let good = try OfflineGrants.make(for: ["a", "b"], elsewhere) { caller.clock.now }
            #expect(good.count == 2)
            for grant in good {
                let reply = try await caller.refresh(grant)
                #expect(reply.status == 200)
            }
            elsewhere.client.id = "another"
            let foreign = try OfflineGrants.make(for: ["a"], elsewhere) { caller.clock.now }
            let reply = try await caller.refresh(foreign[0])
            #expect(reply.json["error_description"] == "Invalid JWT")
        }
    }

    @Test func aRevokedGrantIsRefusedUntilItIsMadeGoodAndANewOneIsGood() async throws {
        try await Caller.with { caller in
            let grant = try caller.simulator.makeGrant(for: "42")
            caller.simulator.revokeGrants(of: "42")
            let refused = try await caller.refresh(grant)
            #expect(refused.status == 400)
            #expect(refused.json["error_code"] == "invalid_grant")
            #expect(refused.json["error_description"] == "Grant revoked")
            let another = try await caller.refresh(try caller.simulator.makeGrant(for: "42"))
            #expect(another.status == 200)
            caller.simulator.restoreGrants(of: "42")
            let restored = try await caller.refresh(grant)
            #expect(restored.status == 200)
            #expect(caller.simulator.revoke(refreshToken: grant))
            #expect(!caller.simulator.revoke(refreshToken: "a.b.c"))
            let revoked = try await caller.refresh(grant)
            #expect(revoked.json["error_description"] == "Grant revoked")
        }
    }

    @Test(arguments: [
        ("application/json", "{"), ("application/json", "[]"), ("application/json", #"{"grant_type":1}"#),
        ("application/x-www-form-urlencoded", "grant_type=refresh_token&grant_type=refresh_token"),
        ("application/x-www-form-urlencoded", "grant_type=%"), ("text/plain", "x"), ("", "{}"),
    ])
    func bodiesThatCannotBeReadAreInvalidRequests(type: String, body: String) async throws {
        try await Caller.with { caller in
            let headers = Caller.agent + ["Content-Type": type]
            let reply = try await caller.call("POST", "/oauth/token", headers: headers, body: body)
            #expect(reply.status == 400)
            #expect(reply.json["error_code"] == "invalid_request")
        }
    }

    @Test func aLongBodyIsRefused() async throws {
        try await Caller.with { caller in
            let body = String(repeating: "x", count: ExchangeHandler.bodyLimit + 1)
            let reply = try await caller.call("POST", "/oauth/token", body: body)
            #expect(reply.status == 413)
            #expect(caller.simulator.counts.count(.tooLarge) == 1)
        }
    }

    @Test func otherMethodsAndPathsGetTheOrdinaryEnvelope() async throws {
        try await Caller.with { caller in
            let wrongMethod = try await caller.call("GET", "/oauth/token")
            #expect(wrongMethod.status == 405)
            #expect(wrongMethod.headers["allow"] == "POST")
            #expect(wrongMethod.json["error"]?["code"] == "method_not_allowed")
            let wrongPath = try await caller.call("POST", "/sessions")
            #expect(wrongPath.status == 404)
            #expect(wrongPath.json["error"]?["code"] == "not_found")
        }
    }
}

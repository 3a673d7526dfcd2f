// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import FoundationEssentials
import Testing

@testable import TokenSimulator

/// `POST /oauth/token` with a code, over HTTP.
@Suite(.timeLimit(.minutes(2))) struct CodeExchangeTests {
    /// Header and claims of a token.
    private func parts(_ reply: Reply, _ name: String) throws -> (header: [String: JSON], claims: [String: JSON]) {
        let parts = try #require(reply.json[name]?.text).split(separator: ".")
        try #require(parts.count == 3)
        func object(_ part: Substring) throws -> [String: JSON] {
            try JSONDecoder().decode([String: JSON].self, from: Data(try #require(Base64URL.decode(part.utf8))))
        }
        return (try object(parts[0]), try object(parts[1]))
    }

    @Test(arguments: [true, false])
    func aCodeBringsAGrantInEitherEncoding(isForm: Bool) async throws {
        try await Caller.with { caller in
            let code = try await caller.code(for: "42")
            let reply = isForm ? try await caller.exchangeByForm(code) : try await caller.exchange(code)
            #expect(reply.status == 200)
            #expect(reply.headers["cache-control"] == "no-store")
            #expect(
                Set(reply.json.keys)
                    == ["access_token", "token_type", "expires_in", "refresh_token", "id_token", "scope"]
            )
            #expect(reply.json["token_type"] == "Bearer")
            #expect(reply.json["expires_in"] == 900)
            #expect(reply.json["scope"] == "read openid")
            let access = try #require(reply.json["access_token"]?.text)
            #expect(caller.simulator.user(ofLiveToken: access) == "42")
            let (header, claims) = try parts(reply, "refresh_token")
            #expect(header["typ"] == "rt+jwt")
            #expect(claims["iss"] == "https://api.tastytrade.com")
            #expect(claims["sub"] == "42")
            #expect(claims["aud"] == .text(SimulatedClient().id))
            #expect(claims["scope"] == "read openid")
            #expect(claims["exp"] == nil)
            let identity = try parts(reply, "id_token")
            #expect(identity.header["typ"] == "JWT")
            #expect(identity.claims["sub"] == "42")
            #expect(identity.claims["aud"] == .text(SimulatedClient().id))
            let refreshed = try await caller.refresh(try #require(reply.json["refresh_token"]?.text))
            #expect(refreshed.status == 200)
            #expect(refreshed.json["refresh_token"] == nil)
            #expect(caller.simulator.counts(of: "42").issued == 2)
            #expect(caller.simulator.counts.tokenRequests == 2)
        }
    }

    @Test func withoutOpenidThereIsNoIdentityToken() async throws {
        try await Caller.with { caller in
            let signIn = SignIn(scope: "trade")
            let reply = try await caller.exchange(try await caller.code(signIn), signIn)
            #expect(Set(reply.json.keys) == ["access_token", "token_type", "expires_in", "refresh_token", "scope"])
            #expect(reply.json["scope"] == "trade")
            let access = try #require(reply.json["access_token"]?.text)
            let bearer = ["Authorization": "Bearer \(access)"]
            let accounts = try await caller.call("GET", AccountsRoute.path, headers: Caller.agent + bearer)
            #expect(accounts.status == 403)
        }
    }

    struct Change: Sendable {
        let field: String
        let value: String?
        let status: Int
        let code: JSON
        let description: JSON

        init(_ field: String, _ value: String?, _ status: Int, _ code: JSON, _ description: JSON) {
            (self.field, self.value, self.status) = (field, value, status)
            (self.code, self.description) = (code, description)
        }
    }

    @Test(arguments: [
        Change("grant_type", nil, 400, "invalid_request", "Missing grant_type"),
        Change("grant_type", "password", 400, "unsupported_grant_type", "Unsupported grant type"),
        Change("client_secret", nil, 401, "invalid_client", "Client secret mismatch"),
        Change("client_secret", "wrong", 401, "invalid_client", "Client secret mismatch"),
        Change("client_id", nil, 400, "invalid_request", "Missing client_id"),
        Change("client_id", "another", 401, "invalid_client", "Client id mismatch"),
        Change("code", nil, 400, "invalid_request", "Missing code"),
        Change("code", "", 400, "invalid_request", "Missing code"),
        Change("code", "nonsense", 400, "invalid_grant", "Invalid authorization code"),
        Change("redirect_uri", nil, 400, "invalid_request", "Missing redirect_uri"),
        Change("redirect_uri", "", 400, "invalid_request", "Missing redirect_uri"),
        Change("redirect_uri", "http://localhost:8000/", 400, "invalid_grant", "Invalid redirect_uri"),
        Change(
            "redirect_uri",
            SimulatedClient.usualRedirectURIs[0],
            400,
            "invalid_grant",
            "Invalid redirect_uri"
        ),
    ])
    func eachFieldIsCheckedAndARefusalLeavesTheCodeGood(change: Change) async throws {
        try await Caller.with { caller in
            let code = try await caller.code()
            let refused = try await caller.exchange(code, SignIn(), [change.field: change.value])
            #expect(refused.status == change.status)
            #expect(refused.json["error_code"] == change.code)
            #expect(refused.json["error_description"] == change.description)
            let good = try await caller.exchange(code)
            #expect(good.status == 200)
            #expect(caller.simulator.counts.reused == 0)
        }
    }

    @Test func anOddUserAgentAndAnAuthorizationHeaderAreRefusedAsForARefresh() async throws {
        try await Caller.with { caller in
            let code = try await caller.code()
            let agentless = try await caller.post(SignIn().fields(code), headers: [:])
            #expect(agentless.status == 401)
            #expect(agentless.headers["content-type"] == "text/html")
            let basic = Caller.agent + ["Authorization": "Basic eDp5"]
            let authorized = try await caller.post(SignIn().fields(code), headers: basic)
            #expect(authorized.json["error_code"] == "invalid_request")
            let good = try await caller.exchange(code)
            #expect(good.status == 200)
        }
    }

    @Test func aCodeIsGoodForAMinute() async throws {
        try await Caller.with { caller in
            let (early, late) = (try await caller.code(), try await caller.code())
            caller.clock.advance(by: .milliseconds(59_999))
            let good = try await caller.exchange(early)
            #expect(good.status == 200)
            caller.clock.advance(by: .milliseconds(1))
            let expired = try await caller.exchange(late)
            #expect(expired.status == 400)
            #expect(expired.json["error_code"] == "invalid_grant")
            #expect(expired.json["error_description"] == "Authorization code expired")
            #expect(caller.simulator.counts.outcomes["invalid_grant"] == 1)
        }
    }

    @Test func howLongACodeIsGoodCanBeSet() async throws {
        try await Caller.with({ $0.codeLifetime = .seconds(5) }) { caller in
            let code = try await caller.code()
            caller.clock.advance(by: .seconds(5))
            let expired = try await caller.exchange(code)
            #expect(expired.json["error_description"] == "Authorization code expired")
        }
    }

    @Test func aCodeUsedTwiceIsRefusedAndCostsTheGrantOfItsFirstUseAndNoOther() async throws {
        try await Caller.with { caller in
            let other = try caller.simulator.makeGrant(for: "42")
            let code = try await caller.code()
            let first = try #require(try await caller.exchange(code).json["refresh_token"]?.text)
            #expect(caller.simulator.isGood(refreshToken: first))
            // However late, and although its time is over.
            caller.clock.advance(by: .seconds(3600))
            let again = try await caller.exchange(code)
            #expect(again.status == 400)
            #expect(again.json["error_code"] == "invalid_grant")
            #expect(again.json["error_description"] == "Authorization code already used")
            let refused = try await caller.refresh(first)
            #expect(refused.json["error_description"] == "Grant revoked")
            #expect(caller.simulator.isGood(refreshToken: other))
            let counts = caller.simulator.counts
            #expect([counts.reused, counts.grantsLost, counts.count(.codeReused)] == [1, 1, 1])
            #expect(caller.simulator.counts(of: "42").grantsLost == 1)
            #expect(caller.simulator.counts(ofGrant: first)?.grantsLost == 1)
            let third = try await caller.exchange(code)
            #expect(third.json["error_description"] == "Authorization code already used")
            #expect(caller.simulator.counts.grantsLost == 1)
            #expect(caller.simulator.counts.count(.codeReused) == 2)
        }
    }

    @Test func twoCodesOfOneCustomerAreTwoGrants() async throws {
        try await Caller.with { caller in
            let codes = [try await caller.code(), try await caller.code()]
            var ids: Set<String> = []
            for code in codes {
                let claims = try parts(try await caller.exchange(code), "refresh_token").claims
                ids.insert(try #require(claims["grant_id"]?.text))
            }
            #expect(ids.count == 2)
        }
    }

    @Test func aCustomersNameIsTakenAsItIsButForSpacesAroundIt() async throws {
        try await Caller.with { caller in
            for (typed, name) in [(" 42 ", "42"), ("a \"b\" <c>", "a \"b\" <c>"), ("Ünal+1", "Ünal+1")] {
                let reply = try await caller.exchange(try await caller.code(for: typed))
                let access = try #require(reply.json["access_token"]?.text)
                #expect(caller.simulator.user(ofLiveToken: access) == name)
            }
        }
    }

    @Test func aGrantMadeAfterARevocationIsGood() async throws {
        try await Caller.with { caller in
            let code = try await caller.code()
            caller.simulator.revokeGrants(of: "42")
            let grant = try #require(try await caller.exchange(code).json["refresh_token"]?.text)
            #expect(caller.simulator.isGood(refreshToken: grant))
        }
    }
}

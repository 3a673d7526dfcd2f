// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Testing

@testable import TokenSimulator

@Suite(.timeLimit(.minutes(2))) struct AccountsRouteTests {
    private func token(_ caller: Caller) async throws -> String {
        let reply = try await caller.refresh(try caller.simulator.makeGrant(for: "42"))
        return try #require(reply.json["access_token"]?.text)
    }

    private func ask(_ caller: Caller, _ authorization: String?) async throws -> Reply {
        let field = authorization.map { ["Authorization": $0] } ?? [:]
        return try await caller.call("GET", "/customers/me/accounts", headers: Caller.agent + field)
    }

    @Test func aLiveTokenListsTheAccount() async throws {
        try await Caller.with { caller in
            let reply = try await ask(caller, "Bearer \(try await token(caller))")
            #expect(reply.status == 200)
            #expect(reply.json["context"] == "/customers/me/accounts")
            guard case .array(let items)? = reply.json["data"]?["items"] else {
                Issue.record("no items: \(reply.text)")
                return
            }
            #expect(items.first?["authority-level"] == "owner")
            #expect(items.first?["account"]?["is-closed"] == .bool(false))
            #expect(items.first?["account"]?["account-number"]?.text?.count == 8)
        }
    }

    @Test func aTokenDiesToTheMillisecond() async throws {
        try await Caller.with({ $0.lifetime = .milliseconds(2500) }) { caller in
            let token = try await token(caller)
            caller.clock.advance(by: .milliseconds(2499))
            let alive = try await ask(caller, "Bearer \(token)")
            #expect(alive.status == 200)
            caller.clock.advance(by: .milliseconds(1))
            let dead = try await ask(caller, "Bearer \(token)")
            #expect(dead.status == 401)
            #expect(dead.json["error"]?["code"] == "unauthorized")
            #expect(caller.simulator.user(ofLiveToken: token) == nil)
        }
    }

    @Test(arguments: [nil, "", "Bearer", "Bearer x", "Bearer a.b.c"])
    func anythingElseIsUnauthorized(authorization: String?) async throws {
        try await Caller.with { caller in
            let reply = try await ask(caller, authorization)
            #expect(reply.status == 401)
        }
    }

    @Test(arguments: ["trade openid", "reading"])
    func aTokenWhoseScopeIsWithoutReadIsForbidden(scope: String) async throws {
        try await Caller.with { caller in
            let refreshed = try await caller.refresh(try caller.simulator.makeGrant(for: "42", scope: scope))
            let token = try #require(refreshed.json["access_token"]?.text)
            let reply = try await ask(caller, "Bearer \(token)")
            #expect(reply.status == 403)
            #expect(reply.json["error"]?["code"] == "not_permitted")
            #expect(caller.simulator.counts.count(.forbidden) == 1)
            #expect(caller.simulator.user(ofLiveToken: token) == "42")
        }
    }

    @Test func aBareTokenAndARefreshTokenAreUnauthorized() async throws {
        try await Caller.with { caller in
            let bare = try await ask(caller, try await token(caller))
            #expect(bare.status == 401)
            let refresh = try await ask(caller, "Bearer \(try caller.simulator.makeGrant(for: "42"))")
            #expect(refresh.status == 401)
        }
    }
}

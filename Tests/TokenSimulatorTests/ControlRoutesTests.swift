// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Testing

@testable import TokenSimulator

@Suite(.timeLimit(.minutes(2))) struct ControlRoutesTests {
    @Test func aGrantIsMadeRevokedAndMadeGood() async throws {
        try await Caller.with { caller in
            let made = try await caller.control("POST", "grants", #"{"user":"a/b"}"#)
            let grant = try #require(made.json["refresh_token"]?.text)
            let good = try await caller.refresh(grant)
            #expect(good.status == 200)
            let revoked = try await caller.control("POST", "accounts/a%2Fb/revoke")
            #expect(revoked.status == 204)
            let refused = try await caller.refresh(grant)
            #expect(refused.json["error_description"] == "Grant revoked")
            let account = try await caller.control("GET", "accounts/a%2Fb")
            #expect(account.json["user"] == "a/b")
            #expect(account.json["revoked"] == .bool(true))
            #expect(account.json["counts"]?["requests"] == 2)
            #expect(account.json["counts"]?["issued"] == 1)
            let restored = try await caller.control("POST", "accounts/a%2Fb/restore")
            #expect(restored.status == 204)
            let again = try await caller.refresh(grant)
            #expect(again.status == 200)
        }
    }

    @Test func faultsAreSetListedAndCleared() async throws {
        try await Caller.with { caller in
            let grant = try caller.simulator.makeGrant(for: "42")
            let set = try await caller.control("POST", "faults", #"{"mode":"error_page","status":500,"user":"42"}"#)
            #expect(set.status == 204)
            let faulty = try await caller.refresh(grant)
            #expect(faulty.status == 500)
            let listed = try await caller.control("GET", "faults")
            guard case .array(let faults)? = listed.json["faults"] else {
                Issue.record("no list: \(listed.text)")
                return
            }
            #expect(faults.count == 1)
            #expect(faults.first?["mode"] == "error_page")
            #expect(faults.first?["user"] == "42")
            let cleared = try await caller.control("DELETE", "faults?user=42")
            #expect(cleared.status == 204)
            let good = try await caller.refresh(grant)
            #expect(good.status == 200)
        }
    }

    @Test func heldAnswersAreReleased() async throws {
        try await Caller.with { caller in
            _ = try await caller.control("POST", "faults", #"{"mode":"hold","count":1}"#)
            let grant = try caller.simulator.makeGrant(for: "42")
            let held = Task { try await caller.refresh(grant) }
            #expect(await caller.simulator.counts(within: .seconds(60)) { $0.inFlight == 1 } != nil)
            let released = try await caller.control("POST", "release")
            #expect(released.status == 204)
            let reply = try await held.value
            #expect(reply.status == 200)
        }
    }

    @Test func requestsAndCountsAreShownWithoutTheControlRoutes() async throws {
        try await Caller.with { caller in
            _ = try await caller.refresh(try caller.simulator.makeGrant(for: "42"))
            _ = try await caller.call("GET", "/elsewhere")
            let counts = try await caller.control("GET", "counts").json
            #expect(counts["requests"] == 2)
            #expect(counts["token_requests"] == 1)
            #expect(counts["outcomes"]?["issued"] == 1)
            #expect(counts["outcomes"]?["not_found"] == 1)
            let listed = try await caller.control("GET", "requests?limit=1").json
            guard case .array(let requests)? = listed["requests"] else {
                Issue.record("no list")
                return
            }
            #expect(requests.count == 1)
            #expect(requests.first?["path"] == "/elsewhere")
            #expect(requests.first?["outcome"] == "not_found")
        }
    }

    @Test func noFaultStrikesTheControlRoutes() async throws {
        try await Caller.with { caller in
            _ = try await caller.control("POST", "faults", #"{"mode":"outage"}"#)
            let away = try await caller.call("GET", "/customers/me/accounts")
            #expect(away.status == 503)
            let cleared = try await caller.control("DELETE", "faults")
            #expect(cleared.status == 204)
            let back = try await caller.call("GET", "/customers/me/accounts")
            #expect(back.status == 401)
        }
    }

    @Test(arguments: [
        ("GET", "nothing", "", 404), ("POST", "counts", "", 404), ("POST", "accounts/1/explode", "", 404),
        ("GET", "accounts/", "", 400), ("POST", "grants", "{}", 400),
        ("POST", "faults", "{}", 400), ("POST", "faults", #"{"mode":"latency"}"#, 400),
        ("POST", "faults", #"{"mode":"outage","style":"reset"}"#, 400),
    ])
    func whatMakesNoSenseIsRefused(method: String, path: String, body: String, status: Int) async throws {
        try await Caller.with { caller in
            let reply = try await caller.control(method, path, body)
            #expect(reply.status == status)
            #expect(reply.json["error"] != nil)
        }
    }
}

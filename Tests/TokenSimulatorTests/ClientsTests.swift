// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import ArgumentParser
import Testing

@testable import TokenSimulator
@testable import tastysim

/// More than one OAuth client, changes to them, and the two environments.
@Suite(.timeLimit(.minutes(2))) struct ClientsTests {
    private static let second = #"{"client_id":"second","client_secret":"fake2"}"#

    private static var secondClient: SimulatedClient {
        var client = SimulatedClient()
        (client.id, client.secret, client.name) = ("second", "fake2", "second")
        return client
    }

    @Test func eachClientHasItsOwnGrantsSecretsAndCodes() async throws {
        try await Caller.with({ $0.otherClients = [Self.secondClient] }) { caller in
            let own = try caller.simulator.makeGrant(for: "42")
            let others = try caller.simulator.makeGrant(for: "42", client: "second")
            let secret = ["client_secret": "fake2"]
            let good = try await caller.post(Caller.fields(others) + secret)
            #expect(good.status == 200)
            let named = try await caller.post(Caller.fields(others) + secret + ["client_id": "second"])
            #expect(named.status == 200)
            for crossed in [Caller.fields(own) + secret, Caller.fields(others)] {
                let refused = try await caller.post(crossed)
                #expect(refused.status == 400)
                #expect(refused.json["error_description"] == "Invalid JWT")
            }
            let mismatch = try await caller.post(Caller.fields(others) + ["client_id": "second"])
            #expect(mismatch.status == 401)
            #expect(mismatch.json["error_description"] == "Client secret mismatch")
        }
    }

    @Test func aCodeIsBoundToItsClientAndAnotherOnesTryHarmsNobody() async throws {
        try await Caller.with({ $0.otherClients = [Self.secondClient] }) { caller in
            let code = try await caller.code()
            let thief = SignIn(client: Self.secondClient)
            let refused = try await caller.exchange(code, thief)
            #expect(refused.json["error_code"] == "invalid_grant")
            #expect(refused.json["error_description"] == "Invalid authorization code")
            let grant = try #require(try await caller.exchange(code).json["refresh_token"]?.text)
            _ = try await caller.exchange(code, thief)
            #expect(caller.simulator.isGood(refreshToken: grant))
            let theirs = try await caller.exchange(try await caller.code(thief), thief)
            #expect(theirs.status == 200)
        }
    }

    @Test func aSecretIsChangedWithAndWithoutKillingTheGrants() async throws {
        try await Caller.with { caller in
            let grant = try caller.simulator.makeGrant(for: "42")
            let id = SimulatedClient().id
            let changed = try await caller.control("POST", "clients", #"{"client_id":"\#(id)","client_secret":"b"}"#)
            #expect(changed.status == 204)
            let old = try await caller.refresh(grant)
            #expect(old.status == 401)
            #expect(old.json["error_description"] == "Client secret mismatch")
            let new = try await caller.post(Caller.fields(grant) + ["client_secret": "b"])
            #expect(new.status == 200)
            let order = #"{"client_id":"\#(id)","client_secret":"c","kill_grants":true}"#
            let killed = try await caller.control("POST", "clients", order)
            #expect(killed.status == 204)
            let dead = try await caller.post(Caller.fields(grant) + ["client_secret": "c"])
            #expect(dead.json["error_description"] == "Grant revoked")
            let anew = try caller.simulator.makeGrant(for: "42")
            let alive = try await caller.post(Caller.fields(anew) + ["client_secret": "c"])
            #expect(alive.status == 200)
        }
    }

    @Test func clientsAreRegisteredChangedAndListedWithoutTheirSecrets() async throws {
        try await Caller.with { caller in
            let made = try await caller.control("POST", "clients", Self.second)
            #expect(made.status == 204)
            let order =
                #"{"client_id":"second","name":"Other","redirect_uris":["https://a.example/cb"],"scope":"read"}"#
            let changed = try await caller.control("POST", "clients", order)
            #expect(changed.status == 204)
            let listed = try await caller.control("GET", "clients")
            #expect(!listed.text.contains("fake"))
            guard case .array(let clients)? = listed.json["clients"] else {
                Issue.record("no list: \(listed.text)")
                return
            }
            #expect(clients.count == 2)
            #expect(clients[0]["redirect_uris"] == .array(SimulatedClient.usualRedirectURIs.map { .text($0) }))
            #expect(clients[1]["name"] == "Other")
            #expect(clients[1]["scope"] == "read")
            let grant = try await caller.control("POST", "grants", #"{"user":"7","client_id":"second","scope":"read"}"#)
            let token = try #require(grant.json["refresh_token"]?.text)
            let good = try await caller.post(Caller.fields(token) + ["client_secret": "fake2"])
            #expect(good.status == 200)
        }
    }

    @Test(arguments: [
        ("clients", #"{"client_id":"new"}"#), ("clients", #"{"client_id":"","client_secret":"x"}"#),
        ("clients", #"{"client_id":"new","client_secret":""}"#), ("clients", #"{"client_secret":"x"}"#),
        ("clients", #"{"client_id":"new","client_secret":"x","redirect_uris":["/cb"]}"#),
        ("clients", #"{"client_id":"new","client_secret":"x","scope":"a  b"}"#),
        ("grants", #"{"user":"7","client_id":"new"}"#), ("grants", #"{"user":"7","scope":""}"#),
    ])
    func whatMakesNoSenseIsRefused(route: String, order: String) async throws {
        try await Caller.with { caller in
            let reply = try await caller.control("POST", route, order)
            #expect(reply.status == 400)
            #expect(reply.json["error"] != nil)
            #expect(try await caller.control("GET", "clients").text.contains("new") == false)
        }
    }

    @Test func aTokenOfOneEnvironmentIsNoneInTheOther() async throws {
        try await Caller.with({ $0.environment = .sandbox }) { caller in
            let own = try caller.simulator.makeGrant(for: "42")
            let payload = try #require(Base64URL.decode(own.split(separator: ".")[1].utf8))
            #expect(String(decoding: payload, as: UTF8.self).contains(#""iss":"https://api.cert.tastyworks.com""#))
            let good = try await caller.refresh(own)
            #expect(good.status == 200)
            let production = SimulatorConfiguration(keySeed: "test", randomSeed: 1)
            let foreign = try OfflineGrants.make(for: ["42"], production) { caller.clock.now }
            let refused = try await caller.refresh(foreign[0])
            #expect(refused.status == 400)
            #expect(refused.json["error_description"] == "Invalid JWT")
        }
    }

    @Test func clientsMustMakeSense() async {
        for spoil in [
            { $0.otherClients = [SimulatedClient()] }, { $0.client.id = "" }, { $0.client.secret = "" },
            { $0.client.scope = "" }, { $0.client.redirectURIs = ["localhost:8000"] },
        ] as [(inout SimulatorConfiguration) -> Void] {
            var configuration = SimulatorConfiguration(keySeed: "test", randomSeed: 1)
            spoil(&configuration)
            #expect(throws: SimulatorFailure.self) {
                try SimulatorService(configuration, clock: SimulatorInstant.systemNow)
            }
        }
    }

    @Test func optionsAreRead() throws {
        let serve = try Serve.parse([
            "--environment", "sandbox", "--redirect-uri", "https://a.example/cb", "--redirect-uri", "http://b/",
            "--scope", "read", "--client", Self.second, "--code-lifetime", "5s",
        ])
        #expect(serve.redirectURIs == ["https://a.example/cb", "http://b/"])
        #expect(serve.codeLifetime == .seconds(5))
        #expect(serve.shared.configuration().issuer == "https://api.cert.tastyworks.com")
        #expect(serve.shared.configuration().client.scope == "read")
        #expect(try serve.otherClients.map { try $0.client(like: SimulatedClient()) } == [Self.secondClient])
        let named = try Serve.parse(["--issuer", "https://x.example"])
        #expect(named.shared.configuration().issuer == "https://x.example")
    }

    @Test(arguments: [
        ["--environment", "cert"], ["--redirect-uri", "/cb"], ["--redirect-uri", "http://a/#x"],
        ["--redirect-uri", "http://a/\r\nX: y"], ["--redirect-uri", "://a"], ["--scope", ""], ["--scope", "a\"b"],
        ["--client", "second:fake"], ["--client", #"{"client_id":"second"}"#], ["--code-lifetime", "5"],
    ])
    func aMistakeOnTheCommandLineIsAUsageError(words: [String]) {
        let error = #expect(throws: (any Error).self) { try Serve.parse(words) }
        if let error { #expect(Serve.exitCode(for: error).rawValue == 64) }
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Enrollment
import TestSupport
import Testing
import TokenCore

/// OAuth clients, put in and taken out.
@Suite(.timeLimit(.minutes(1))) struct ClientTests {
    private let fixture = ConnectorFixture()

    private func put(_ draft: ClientDraft) async -> Result<[String], EnrollmentFailure> {
        do throws(EnrollmentFailure) {
            return .success(try await fixture.connector.put(draft).notes)
        } catch {
            return .failure(error)
        }
    }

    private func draft(_ name: String = "second", _ change: (inout ClientDraft) -> Void = { _ in }) -> ClientDraft {
        var draft = ClientDraft(
            name: name,
            clientID: "6e1d6c0b-3f6d-4d6e-9a57-0d1c7c0f5a11",
            clientSecret: Secret("89abcdef0123456789abcdef0123456789abcdef"),
            environment: "production",
            redirectURI: "https://app.example/tastytrade/oauth/callback",
            scopes: ["read", "trade"]
        )
        change(&draft)
        return draft
    }

    @Test func theConfigurationsIsListedFirstAndEachWithItsAccounts() async throws {
        fixture.table.add(ConnectorFixture.client())
        fixture.table.set(UserID("7"), TableDouble.Row(refreshToken: "r", client: "second"))
        let listed = try await fixture.connector.clients()
        #expect(listed.map(\.name) == ["default", "second"])
        #expect(listed.map(\.accounts) == [2, 1])
        #expect(
            listed[0].redirectURI == "http://localhost:3000/tastytrade/oauth/callback"
                && listed[0].environment == .sandbox
        )
    }

    @Test func aClientThatIsPutInIsStoredAndTheEngineLearnsOfIt() async throws {
        let (client, notes) = try await fixture.connector.put(draft())
        #expect(notes.isEmpty && client.name == "second" && client.environment == .production)
        #expect(
            try fixture.table.stored.first?.clientSecret.get() == Secret("89abcdef0123456789abcdef0123456789abcdef")
        )
        #expect(await fixture.told.next() == "clients")
    }

    @Test func whatIsLeftOutStaysAsItWas() async throws {
        _ = try await fixture.connector.put(draft())
        let changed = ClientDraft(name: "second", scopes: ["read"])
        _ = try await fixture.connector.put(changed)
        let stored = try #require(fixture.table.stored.first)
        #expect(stored.scopes == ["read"] && stored.redirectURI == "https://app.example/tastytrade/oauth/callback")
        #expect(try stored.clientSecret.get() == Secret("89abcdef0123456789abcdef0123456789abcdef"))
    }

    @Test func aNewOneTakesFromTheConfigurationWhatIsLeftOut() async throws {
        let client = try await fixture.connector.put(
            draft {
                $0.environment = nil
                $0.redirectURI = nil
                $0.scopes = nil
            }
        ).client
        #expect(client.environment == .sandbox && client.scopes == ["read", "trade"])
        #expect(client.redirectURI == "http://localhost:3000/tastytrade/oauth/callback")
    }

    @Test(arguments: [
        "default", "Default", "DEFAULT", "", " ", "a b", "-x", "\u{E9}", "a/b", String(repeating: "a", count: 65),
    ])
    func aNameThatCannotBeIsRefused(_ name: String) async {
        #expect(await put(draft(name)).failure?.kind == .invalid)
        #expect(fixture.table.stored.isEmpty)
    }

    @Test(arguments: [[""], ["read\ntrade"], ["read trade"], ["re\"ad"], ["caf\u{E9}"]])
    func whatIsNoScopeIsRefused(_ scopes: [String]) async {
        let failure = await put(draft { $0.scopes = scopes }).failure
        #expect(failure?.text.contains("A scope is a word") == true)
        #expect(fixture.table.stored.isEmpty)
    }

    @Test func whatIsMissingOrSurelyWrongIsRefusedInWords() async {
        let drafts = [
            draft { $0.clientID = nil }, draft { $0.clientSecret = nil }, draft { $0.environment = "prod" },
            draft { $0.clientSecret = Secret("") }, draft { $0.redirectURI = "app.example" },
            draft { $0.clientID = " 6e1d6c0b" },
        ]
        for draft in drafts {
            let failure = await put(draft).failure
            #expect(failure?.kind == .invalid && failure?.text.isEmpty == false)
        }
        #expect(fixture.table.stored.isEmpty)
    }

    @Test func whatMayBeWrongIsSaidAndStored() async {
        let notes = await put(draft { $0.scopes = ["readonly"] }).notes
        #expect(notes?.contains { $0.contains("readonly") } == true)
        #expect(fixture.table.stored.count == 1)
    }

    @Test func anotherSecretForWhoHangsOnTheClientIsSaid() async {
        _ = await put(draft())
        fixture.table.set(UserID("7"), TableDouble.Row(refreshToken: "r", client: "second"))
        let secret = Secret("fedcba9876543210fedcba9876543210fedcba98")
        let notes = await put(draft { $0.clientSecret = secret }).notes
        #expect(notes?.contains { $0.contains("1 account") } == true)
    }

    @Test func withoutAKeyNothingIsStored() async {
        fixture.table.refuse(with: .secret(.noSealingKey))
        #expect(await put(draft()).failure?.kind == .noSealingKey)
        #expect(fixture.told.count == 0)
    }

    @Test func aClientOfWhichAccountsHaveGrantsStays() async throws {
        _ = await put(draft())
        fixture.table.set(UserID("7"), TableDouble.Row(refreshToken: "r", client: "second"))
        await #expect(throws: EnrollmentFailure.self) { try await fixture.connector.removeClient("second") }
        fixture.table.set(UserID("7"), nil)
        try await fixture.connector.removeClient("second")
        #expect(fixture.table.stored.isEmpty)
        for name in ["second", "default"] {
            await #expect(throws: EnrollmentFailure.self) { try await fixture.connector.removeClient(name) }
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import Testing
import TokenCore

@testable import GrantStore

/// A planted password must appear in no failure, however the connection fails.
@Suite struct SecrecyTests {
    static let planted = "cAnary-Kk/pass wörd"
    static let encoded = "cAnary-Kk%2Fpass%20w%C3%B6rd"

    static let urls = [
        "postgresql://u:\(encoded)@/x?host=/nonexistent",
        "postgresql://asked_for_password:\(encoded)@/postgres?host=SERVER",
        "postgresql://u:\(planted)@[bad/x",
        "postgresql://u:\(encoded)@localhost:1/x",
        "postgresql://u:\(encoded)@localhost:port/x",
        "postgresql://u:\(encoded)%zz@localhost/x",
        "postgresql://u:\(encoded)@h/x?nonsense=1",
        "postgres:/u:\(planted)@h/x",
        "postgresql://u:cAnary@Kk@localhost/x",
        "postgresql://u:1/cAnary@localhost/x",
        "host=SERVER user=asked_for_password dbname=postgres password='\(planted)'",
        "host=SERVER password=\(planted)",
        "host=SERVER password='\(planted)",
        "\"quoted\" \(planted)",
        "password",
    ]

    @Test(arguments: urls) func noFailureShowsThePassword(_ url: String) async throws {
        let folder = try await TestDatabase(setUp: "").server.folder
        var configuration = StoreConfiguration(owner: "test", url: Secret(url.replacing("SERVER", with: folder)))
        configuration.connectDeadline = .seconds(2)
        let store = PostgresGrantStore.forTest(configuration)
        let failure = try #require(await store.failure { store async throws(StoreFailure) in try await store.open() })
        let shown = "\(failure) \(String(reflecting: failure)) \(store.health) \(configuration)"
        for part in ["cAnary", "Kk", "wörd", "w%C3"] { #expect(!shown.contains(part), "\(shown)") }
        #expect(failure.text.count < 700)
    }

    @Test func anUnparsableURLIsMisconfiguredAndSaysHowToWriteIt() async throws {
        let store = PostgresGrantStore.forTest(
            StoreConfiguration(owner: "test", url: Secret("postgresql://u:p@h:port:5/x?y"))
        )
        let failure = await store.failure { store async throws(StoreFailure) in try await store.open() }
        #expect(failure?.kind == .misconfigured)
        #expect(failure?.text.contains("database.url") == true)
        #expect(failure?.text.contains("postgresql://USER:PASSWORD@HOST:PORT/DATABASE") == true)
    }

    @Test func theApplicationsNameIsSeenOnTheServer() async throws {
        let names = try await TestDatabase().session().query("SELECT current_setting('application_name')")
        #expect(names == ["tastytokend"])
    }
}

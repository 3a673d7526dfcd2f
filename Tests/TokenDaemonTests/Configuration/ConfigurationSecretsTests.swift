// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Testing
import TokenCore
import TokenDaemon

@Suite struct ConfigurationSecretsTests {
    private func secret(_ fixture: ConfigurationFixture) throws -> String? {
        try fixture.load().configuration.tastytrade.clientSecret?.reveal()
    }

    /// A machine that has the secret in every place there is.
    private var everywhere: ConfigurationFixture {
        var fixture = ConfigurationFixture("tastytrade:\n  clientSecretFile: /file\n")
        fixture.put("/file", "of the file\n")
        fixture.put("/variable", "of the variable's file\r\n\n")
        fixture.put("/creds/tastytrade-client-secret", "of the credential\n", mode: 0o440)
        fixture.environment = ["CREDENTIALS_DIRECTORY": "/creds", "TASTYTRADE_CLIENT_SECRET": "of the variable"]
        return fixture
    }

    @Test func environmentComesBeforeTheFileAndTheFileBeforeTheCredential() throws {
        var fixture = everywhere
        #expect(try secret(fixture) == "of the variable")
        fixture.environment["TASTYTRADE_CLIENT_SECRET"] = nil
        fixture.environment["TASTYTRADE_CLIENT_SECRET_FILE"] = "/variable"
        #expect(try secret(fixture) == "of the variable's file")
        fixture.environment["TASTYTRADE_CLIENT_SECRET_FILE"] = nil
        #expect(try secret(fixture) == "of the file")
        fixture.files[ConfigurationFixture.path] = nil
        #expect(try secret(fixture) == "of the credential")
    }

    @Test func valueAndFileInOneLayerContradictEachOther() {
        var fixture = everywhere
        fixture.environment["TASTYTRADE_CLIENT_SECRET_FILE"] = "/variable"
        #expect(
            fixture.mistakes() == [
                "environment TASTYTRADE_CLIENT_SECRET: tastytrade.clientSecret: "
                    + "is given as well as tastytrade.clientSecretFile: keep one of the two"
            ]
        )
    }

    @Test func fileNamedInAHigherLayerHidesTheValueInALowerOne() throws {
        var fixture = everywhere
        fixture.put(ConfigurationFixture.path, "tastytrade: {clientSecret: of the file itself}")
        fixture.environment["TASTYTRADE_CLIENT_SECRET"] = nil
        #expect(try secret(fixture) == "of the file itself")
        fixture.environment["TASTYTRADE_CLIENT_SECRET_FILE"] = "/variable"
        #expect(try secret(fixture) == "of the variable's file")
    }

    @Test func keysOfTheFileAreAListOrATextAndAreHiddenByTheEnvironment() throws {
        let place = ColumnPlace(.accessToken, of: UserID("1"), in: .sandbox)
        func sealing(_ fixture: ConfigurationFixture) throws -> any ColumnSealing {
            try fixture.load().configuration.encryption.sealing
        }
        func text(_ keys: String) -> String {
            "encryption: {mode: rails, rails: {primaryKeys: \(keys), keyDerivationSalt: salt}}"
        }
        // The last seals; what it sealed, each set with it among its keys opens.
        let (one, two) = (
            try sealing(ConfigurationFixture(text("[one]"))), try sealing(ConfigurationFixture(text("[two]")))
        )
        var fixture = ConfigurationFixture(text("[one, two]"))
        for written in ["[one, two]", "\"one,two\""] {
            fixture.put(ConfigurationFixture.path, text(written))
            let both = try sealing(fixture)
            #expect(both.sealingKeyID == two.sealingKeyID)
            for single in [one, two] {
                guard
                    case .sealed(let secret, by: _) = both.open(try single.seal(Secret("token"), at: place), at: place)
                else { throw Unopened() }
                #expect(secret == Secret("token"))
            }
        }
        fixture.put("/keys", "three\ntwo\none\n")
        fixture.environment["ENCRYPTION_RAILS_PRIMARY_KEYS_FILE"] = "/keys"
        #expect(try sealing(fixture).sealingKeyID == one.sealingKeyID)
    }

    @Test func databaseURLComesFromTheSamePlaces() throws {
        var fixture = ConfigurationFixture("database:\n  urlFile: /url\n")
        fixture.put("/url", "postgresql://u:p@h1,h2/d\n")
        #expect(try fixture.load().configuration.database.url?.reveal() == "postgresql://u:p@h1,h2/d")
        fixture.environment["DATABASE_URL"] = "host=/run/postgresql dbname=d"
        #expect(try fixture.load().configuration.database.url?.reveal() == "host=/run/postgresql dbname=d")
        var credential = ConfigurationFixture()
        credential.environment["CREDENTIALS_DIRECTORY"] = "/creds"
        credential.put("/creds/database-url", "postgres://h/d")
        #expect(try credential.load().configuration.database.url?.reveal() == "postgres://h/d")
    }

    @Test(arguments: [
        (0o600, 0), (0o400, 0), (0o640, 0), (0o604, 1), (0o666, 1),
    ])
    func secretFileThatOthersMayReadIsAWarning(mode: UInt32, count: Int) throws {
        var fixture = everywhere
        fixture.environment = [:]
        fixture.put("/file", "s", mode: mode)
        let warnings = try fixture.load().warnings.map(\.description)
        let line = "/file: tastytrade.clientSecretFile: may be read by everybody: chmod o= /file"
        #expect(warnings == Array(repeating: line, count: count))
    }

    @Test(arguments: [(0o640, 0), (0o644, 1)])
    func secretInAFileForEverybodyIsAWarning(mode: UInt32, count: Int) throws {
        var fixture = ConfigurationFixture("tastytrade:\n  clientSecret: s\n", mode: mode)
        fixture.environment = [:]
        let warnings = try fixture.load().warnings.map(\.description)
        let line =
            "/etc/t.yaml:2: tastytrade.clientSecret: stands in a file that everybody may read: chmod o= /etc/t.yaml"
        #expect(warnings == Array(repeating: line, count: count))
    }

    @Test func withoutNeedTheSecretMayBeMissing() throws {
        var fixture = ConfigurationFixture()
        fixture.environment = [:]
        let loaded = try fixture.load(needsClient: false)
        #expect(loaded.configuration.tastytrade.client == nil)
    }

    @Test func effectiveValuesTellEverythingButSecrets() throws {
        var fixture = ConfigurationFixture(
            """
            tastytrade: {clientSecret: planted-1}
            database: {url: "postgresql://u:planted-2@h/d", listenUrl: "postgresql://u:planted-3@h/d"}
            encryption: {rails: {primaryKeys: [planted-4, planted-5], keyDerivationSalt: planted-6}}
            """
        )
        fixture.environment = ["REFRESH_AT": "0.5"]
        let loaded = try fixture.load()
        let values = Dictionary(uniqueKeysWithValues: loaded.effectiveNonSecretValues.map { ($0.key, $0.value) })
        #expect(values["refresh.at"] == "0.5")
        #expect(values["tastytrade.apiUrl"] == "https://api.tastyworks.com")
        #expect(values["tastytrade.clientSecret"] == "(from /etc/t.yaml:1)")
        #expect(values["database.listenUrl"] == "(from /etc/t.yaml:2)")
        var dumped = ""
        dump(loaded, to: &dumped)
        #expect(!dumped.contains("planted"))
    }
}

private struct Unopened: Error {}

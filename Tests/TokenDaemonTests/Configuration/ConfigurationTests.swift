// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Logging
import Testing
import TokenCore
import TokenDaemon

@Suite struct ConfigurationTests {
    @Test func withoutAFileTheDefaultsOfTheContractHold() throws {
        let loaded = try ConfigurationFixture().load()
        let configuration = loaded.configuration
        #expect(configuration.tastytrade.environment == .production)
        #expect(configuration.tastytrade.apiURL == "https://api.tastyworks.com")
        #expect(configuration.tastytrade.authorizeURL == "https://my.tastytrade.com/auth.html")
        #expect(configuration.tastytrade.redirectURI == "http://localhost:3000/tastytrade/oauth/callback")
        #expect(configuration.tastytrade.scopes == ["read", "trade", "openid"])
        #expect(configuration.tastytrade.clientID == nil)
        #expect(configuration.database.url == nil)
        #expect(configuration.database.table == "users")
        #expect(configuration.database.columns.id == "id")
        #expect(configuration.database.columns.accessToken == "tastytrade_oauth_token")
        #expect(configuration.database.columns.refreshToken == "tastytrade_oauth_refresh_token")
        #expect(configuration.database.columns.expiresAt == "tastytrade_oauth_expires_at")
        #expect(configuration.database.reconcileEvery == .seconds(60))
        #expect(configuration.encryption.mode == .none)
        #expect(configuration.encryption.sealing.sealingKeyID == nil)
        let refresh = configuration.refresh
        #expect((refresh.at, refresh.jitter) == (0.6, 0.1))
        #expect((refresh.maxInFlight, refresh.maxPerSecond) == (64, 20))
        #expect((refresh.connectTimeout, refresh.timeout) == (.seconds(5), .seconds(30)))
        #expect((refresh.backoffInitial, refresh.backoffMax) == (.seconds(1), .seconds(60)))
        #expect(refresh.claimFor == .seconds(90))
        #expect(refresh.withoutDatabase == .auto)
        #expect((refresh.keepGrants, refresh.dailyBudgetPerUser) == (50_000, 300))
        #expect(configuration.journal.path == "/var/lib/tastytokend")
        #expect(configuration.socket.path == "/run/tastytokend/api.sock")
        #expect(configuration.socket.mode == 0o660)
        #expect(configuration.socket.group == nil && configuration.socket.credentialsPath == nil)
        #expect(configuration.access.isEmpty)
        #expect(configuration.web.isEnabled && "\(configuration.web.listen)" == "127.0.0.1:3000")
        #expect("\(configuration.web.publicURL)" == "http://localhost:3000")
        #expect(configuration.metrics.listen == nil)
        #expect(configuration.log.level == .info && configuration.log.format == nil)
        #expect(loaded.warnings.isEmpty)
    }

    @Test(
        arguments: [
            ("127.0.0.1:9464", "127.0.0.1:9464"), ("127.0.0.2:1", "127.0.0.2:1"), ("[::1]:9464", "[::1]:9464"),
            ("localhost:0", "127.0.0.1:0"),
        ]
    )
    func metricsAreServedAtALoopbackAddress(written: String, meant: String) throws {
        var fixture = ConfigurationFixture()
        fixture.environment["METRICS_LISTEN"] = written
        let loaded = try fixture.load()
        #expect(loaded.configuration.metrics.listen.map { "\($0)" } == meant && loaded.warnings.isEmpty)
        #expect(loaded.effectiveNonSecretValues.contains { $0.key == "metrics.listen" && $0.value == written })
    }

    @Test func environmentOverridesTheFileAndTheFileTheDefaults() throws {
        var fixture = ConfigurationFixture(
            """
            tastytrade: {env: sandbox, clientId: from-file, scopes: [read]}
            refresh: {maxInFlight: 7, timeout: 20s, maxPerSecond: 2.5}
            log: {level: debug}
            """
        )
        fixture.environment["REFRESH_MAX_IN_FLIGHT"] = "9"
        fixture.environment["TASTYTRADE_SCOPES"] = "read, trade"
        fixture.environment["LOG_LEVEL"] = "trace"
        let configuration = try fixture.load().configuration
        #expect(configuration.refresh.maxInFlight == 9)
        #expect(configuration.refresh.timeout == .seconds(20))
        #expect(configuration.refresh.maxPerSecond == 2.5)
        #expect(configuration.refresh.connectTimeout == .seconds(5))
        #expect(configuration.tastytrade.scopes == ["read", "trade"])
        #expect(configuration.tastytrade.apiURL == "https://api.cert.tastyworks.com")
        #expect(configuration.tastytrade.client?.clientID == "from-file")
        #expect(configuration.log.level == .trace)
    }

    @Test(arguments: [
        ("tastytrade.clientId", "TASTYTRADE_CLIENT_ID"), ("database.url", "DATABASE_URL"),
        ("database.columns.accessToken", "DATABASE_COLUMNS_ACCESS_TOKEN"),
        ("tastytrade.clientSecretFile", "TASTYTRADE_CLIENT_SECRET_FILE"), ("refresh.at", "REFRESH_AT"),
        ("encryption.rails.primaryKeys", "ENCRYPTION_RAILS_PRIMARY_KEYS"), ("web.publicUrl", "WEB_PUBLIC_URL"),
        ("refresh.dailyBudgetPerUser", "REFRESH_DAILY_BUDGET_PER_USER"),
    ])
    func keysHaveTheVariablesOfTheContract(name: String, variable: String) {
        #expect(isRead(name, from: variable))
    }

    @Test(arguments: ConfigurationKey.all.filter { $0.shape != .tree })
    func everyKeyHasItsVariableByTheRuleOfTheContract(key: ConfigurationKey) {
        let words = key.name.replacing(/([a-z])([A-Z])/) { "\($0.1)_\($0.2)" }
        #expect(isRead(key.name, from: words.replacing(".", with: "_").uppercased()))
    }

    /// A key is read from a variable if a mistake there is told of the key at that place. No key takes a control character.
    private func isRead(_ name: String, from variable: String) -> Bool {
        var fixture = ConfigurationFixture()
        fixture.environment = [variable: "\u{7}"]
        return fixture.mistakes().contains { $0.hasPrefix("environment \(variable): \(name): ") }
    }

    @Test func unknownVariablesAreNoMistake() throws {
        var fixture = ConfigurationFixture()
        fixture.environment["TASTYTRADE_CLIENTID"] = "x"
        fixture.environment["ACCESS"] = "x"
        fixture.environment["NOTIFY"] = "x"
        fixture.environment["refresh_at"] = "x"
        fixture.environment["Refresh_At"] = "x"
        _ = try fixture.load()
    }

    @Test(arguments: [("500ms", Duration.milliseconds(500)), ("30s", .seconds(30)), ("5m", .seconds(300))])
    func durationsHaveFourUnits(text: String, duration: Duration) throws {
        let yaml = "refresh: {connectTimeout: 50ms, timeout: \(text), claimFor: 1h}"
        #expect(try ConfigurationFixture(yaml).load().configuration.refresh.timeout == duration)
    }

    @Test(arguments: [
        ("production", "https://API.tastyworks.com/", "https://API.tastyworks.com"),
        ("sandbox", "https://api.sandbox.tastytrade.com", "https://api.sandbox.tastytrade.com"),
        ("production", "http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("sandbox", "http://[::1]:8080/base/", "http://[::1]:8080/base"),
        ("production", "https://localhost:8443", "https://localhost:8443"),
    ])
    func addressesThatAreKnownOrLoopbackAreTaken(environment: String, url: String, used: String) throws {
        let yaml = "tastytrade: {env: \(environment), apiUrl: \"\(url)\"}"
        #expect(try ConfigurationFixture(yaml).load().configuration.tastytrade.apiURL == used)
    }

    @Test(arguments: [
        "http://127.0.0.1.evil.example", "http://127.1", "http://localhost.evil.example", "http://[::2]",
        "https://api.tastyworks.com.evil.example", "https://evil.example#api.tastyworks.com",
        "https://api.tastyworks.com:0",
        "https://", "https://[::1", "https://api..com", "ftp://localhost", "https://api.tastyworks.com?x=1",
    ])
    func addressesThatLookLikeThemAreNot(url: String) {
        #expect(ConfigurationFixture("tastytrade: {apiUrl: \"\(url)\"}").mistakes().count == 1)
    }

    @Test func unlistedHostIsTakenIfSaidSo() throws {
        let yaml = "tastytrade: {apiUrl: \"https://proxy.example\", allowUnlistedHost: true}"
        #expect(try ConfigurationFixture(yaml).load().configuration.tastytrade.apiURL == "https://proxy.example")
    }

    @Test(arguments: ["users", "app.users", "\"My Users\"", "app.\"My \"\"Users\"\"\"", "größen", "_t$1"])
    func tablesAreNamedAsInSQL(name: String) throws {
        let yaml = "database: {table: '\(name)'}"
        #expect(try ConfigurationFixture(yaml).load().configuration.database.table == name)
    }

    @Test(arguments: ["", "1users", "a b", "a.", ".a", "\"\"", "\"a", "a\"b", "a;b", "a--b", "a'b", "\"a\"b"])
    func whatIsNoNameInSQLIsRefused(name: String) {
        var fixture = ConfigurationFixture()
        fixture.environment["DATABASE_TABLE"] = name
        #expect(fixture.mistakes().count == 1)
    }

    @Test func keysWithoutEffectAreCheckedAndRemarkedOnUnlessTheyAreAtTheirDefaults() throws {
        let loaded = try ConfigurationFixture(
            "socket:\n  credentialsPath: /run/tastytokend/other.sock\n  mode: 0660\nnotify: []\n"
        ).load()
        #expect(
            loaded.warnings.map(\.description) == [
                "/etc/t.yaml:2: socket.credentialsPath: has no effect in this version: leave it for a later one, or remove it",
                "/etc/t.yaml:4: notify: has no effect in this version: leave it for a later one, or remove it",
            ]
        )
    }

    @Test func accessRulesAreReadAsTheContractWritesThem() throws {
        let yaml = """
            access:
              - group: bots
                users: ["42", 43]
                allow: [token, refresh]
              - {user: optionbot, users: "*", allow: [status]}
              - {uid: 1000, users: "*", allow: admin}
              - {gid: 2005, users: ["x"], allow: [enroll]}
              - {unit: "bot@*.service", users: "7", allow: [token]}
            """
        let access = try ConfigurationFixture(yaml).load().configuration.access
        #expect(
            access == [
                .caller(.init(.group(2001), for: .some([UserID("42"), UserID("43")]), [.token, .refresh])),
                .caller(.init(.user(1001), for: .all, [.status])),
                .caller(.init(.user(1000), for: .all, [.admin])),
                .caller(.init(.group(2005), for: .some([UserID("x")]), [.enroll])),
                .unit("bot@*.service", for: .some([UserID("7")]), [.token]),
            ]
        )
    }

    @Test(arguments: [("bots", UInt32(2001)), ("2005", 2005), ("0", 0)])
    func theSocketsGroupHasANameOrANumber(text: String, number: UInt32) throws {
        #expect(try ConfigurationFixture("socket: {group: \(text)}").load().configuration.socket.group == number)
    }

    @Test func whatHoldsIsListedAsFarAsItHasAnEffect() throws {
        func listed(_ yaml: String, _ key: String) throws -> String? {
            try ConfigurationFixture(yaml).load().effectiveNonSecretValues.first { $0.key == key }?.value
        }
        let rule = "{user: a, users: \"*\", allow: [token]}"
        #expect(try listed("{}", "access") == "root and the daemon's own user only")
        #expect(try listed("access: [\(rule)]", "access") == "1 rule")
        #expect(try listed("access: [\(rule), \(rule)]", "access") == "2 rules")
        #expect(try listed("socket: {group: bots}", "socket.group") == "bots")
        #expect(try listed("{}", "tastytrade.clientSecret") == "(from environment TASTYTRADE_CLIENT_SECRET)")
        let keys = try ConfigurationFixture("{}").load().effectiveNonSecretValues.map(\.key)
        let inEffect = Set(ConfigurationKey.all.filter(\.takesEffect).map(\.name))
        #expect(Set(keys).isSubset(of: inEffect) && Set(keys).count == keys.count)
        #expect(
            ConfigurationKey.all.filter { $0.takesEffect && $0.defaultText != nil }.allSatisfy {
                keys.contains($0.name)
            }
        )
    }

    @Test func numbersAreListedAsNumbersAndModesAreNot() throws {
        let listed = try ConfigurationFixture("refresh: {maxPerSecond: 2.5}").load().effectiveNonSecretValues
        let numbers = Dictionary(
            uniqueKeysWithValues: listed.compactMap { setting in
                setting.number.map { (setting.key, $0) }
            }
        )
        #expect(
            numbers == [
                "refresh.at": 0.6, "refresh.jitter": 0.1, "refresh.maxInFlight": 64, "refresh.maxPerSecond": 2.5,
                "log.auditSample": 1, "refresh.keepGrants": 50_000, "refresh.dailyBudgetPerUser": 300,
            ]
        )
    }

    @Test func stateFolderOfTheServiceManagerHoldsTheJournal() throws {
        var fixture = ConfigurationFixture()
        fixture.environment["STATE_DIRECTORY"] = "/var/lib/a:/var/lib/b"
        #expect(try fixture.load().configuration.journal.path == "/var/lib/a")
        fixture.environment["JOURNAL_PATH"] = "/srv/j"
        #expect(try fixture.load().configuration.journal.path == "/srv/j")
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Testing
import TokenDaemon

/// What an operator gets to read for each mistake: where, what, and what to do.
@Suite struct ConfigurationMistakesTests {
    @Test(arguments: [
        // The file itself.
        (
            "tastytrade: [",
            "/etc/t.yaml:2: is not YAML (did not find expected node content): check quotes, colons and indentation there"
        ),
        (
            "\tlog:\n",
            "/etc/t.yaml:1: is not YAML (found character that cannot start any token): check quotes, colons and indentation there"
        ),
        ("- a", "/etc/t.yaml:1: holds no keys: write sections with keys, as in config.yaml"),
        ("log:\n  level: info\nlog:\n  level: debug", "/etc/t.yaml:1: says \"log\" more than once: keep one of them"),
        (
            "log:\n  level: info\n---\nlog:",
            "/etc/t.yaml:3: is not YAML (but found another document): check quotes, colons and indentation there"
        ),
        ("? [a, b]\n: c", "/etc/t.yaml:1: a key is not a name: write names as keys"),
        // Keys.
        (
            "tastytrade:\n  clientID: x",
            "/etc/t.yaml:2: tastytrade.clientID: is no known key: did you mean tastytrade.clientId?"
        ),
        (
            "refresh:\n  max_in_flight: 3",
            "/etc/t.yaml:2: refresh.max_in_flight: is no known key: did you mean refresh.maxInFlight?"
        ),
        ("databse:\n  table: users", "/etc/t.yaml:1: databse: is no known key: did you mean database?"),
        ("telemetry: yes", "/etc/t.yaml:1: telemetry: is no known key: remove it"),
        ("refresh.at: 0.5", "/etc/t.yaml:1: refresh.at: is no known key: write the parts as sections"),
        ("refresh: 5", "/etc/t.yaml:1: refresh: is a section: put its keys below it, indented"),
        ("log:\n  level:", "/etc/t.yaml:2: log.level: has no value: give it one, or remove the line"),
        ("log:\n  level: \"\"", "/etc/t.yaml:2: log.level: is empty: give it a value, or remove it"),
        (
            "log:\n  level: [info]",
            "/etc/t.yaml:2: log.level: is not one plain value: write one plain value behind the key"
        ),
        (
            "tastytrade:\n  scopes: {a: b}",
            "/etc/t.yaml:2: tastytrade.scopes: is not a list of plain values: write a list of plain values behind the key"
        ),
        // Values.
        (
            "tastytrade:\n  env: prod",
            "/etc/t.yaml:2: tastytrade.env: \"prod\" is not allowed: write production or sandbox"
        ),
        (
            "tastytrade:\n  clientId: \"a b\"",
            "/etc/t.yaml:2: tastytrade.clientId: \"a b\" holds white space: remove it"
        ),
        (
            "tastytrade:\n  clientId: \" ab\"",
            "/etc/t.yaml:2: tastytrade.clientId: \" ab\" begins or ends with white space: remove it"
        ),
        (
            "tastytrade:\n  apiUrl: http://api.tastyworks.com",
            "/etc/t.yaml:2: tastytrade.apiUrl: \"http://api.tastyworks.com\" would send secrets in clear: write https://"
        ),
        (
            "tastytrade:\n  apiUrl: api.tastyworks.com",
            "/etc/t.yaml:2: tastytrade.apiUrl: \"api.tastyworks.com\" is not an address: write it as in https://host or https://host:8443/path"
        ),
        (
            "tastytrade:\n  apiUrl: https://api.tastyworks.com@evil.example",
            "/etc/t.yaml:2: tastytrade.apiUrl: \"https://api.tastyworks.com@evil.example\" is not an address: write it as in https://host or https://host:8443/path"
        ),
        (
            "tastytrade:\n  allowUnlistedHost: yes",
            "/etc/t.yaml:2: tastytrade.allowUnlistedHost: \"yes\" is neither true nor false: write true or false"
        ),
        (
            "tastytrade:\n  caFile: /etc/none.pem",
            "/etc/t.yaml:2: tastytrade.caFile: /etc/none.pem does not exist: create it, or correct the path"
        ),
        (
            "tastytrade:\n  caFile: ca.pem",
            "/etc/t.yaml:2: tastytrade.caFile: \"ca.pem\" is not an absolute path: begin it with /"
        ),
        (
            "database:\n  url: localhost",
            "/etc/t.yaml:2: database.url: is not a PostgreSQL URL: write postgresql://user@host/database"
        ),
        (
            "database:\n  url: postgresql://h:port/d",
            "/etc/t.yaml:2: database.url: cannot be read (the port is not a number): write postgresql://USER:PASSWORD@HOST:PORT/DATABASE, with special characters percent-encoded, or as KEYWORD=VALUE pairs"
        ),
        (
            "database:\n  listenUrl: \"host='h\"",
            "/etc/t.yaml:2: database.listenUrl: cannot be read (unterminated quoted string in connection info string): write postgresql://USER:PASSWORD@HOST:PORT/DATABASE, with special characters percent-encoded, or as KEYWORD=VALUE pairs"
        ),
        (
            "database:\n  table: users; drop",
            "/etc/t.yaml:2: database.table: \"users; drop\" is not a table's name: write it as in SQL: users, app.users or \"My Users\""
        ),
        (
            "database:\n  table: a.b.c",
            "/etc/t.yaml:2: database.table: \"a.b.c\" is not a table's name: write it as in SQL: users, app.users or \"My Users\""
        ),
        (
            "database:\n  columns:\n    id: t.id",
            "/etc/t.yaml:3: database.columns.id: \"t.id\" is not a column's name: write it as in SQL: expires_at or \"Expires At\""
        ),
        (
            "database:\n  reconcileEvery: 60",
            "/etc/t.yaml:2: database.reconcileEvery: \"60\" is not a duration: write a number and a unit, as in 500ms, 30s, 5m or 1h"
        ),
        (
            "database:\n  reconcileEvery: 500ms",
            "/etc/t.yaml:2: database.reconcileEvery: \"500ms\" is out of range: write a duration from 1s to 24h"
        ),
        ("refresh:\n  at: 1", "/etc/t.yaml:2: refresh.at: \"1\" is not a share between 0 and 1: write one such as 0.6"),
        (
            "refresh:\n  at: nan",
            "/etc/t.yaml:2: refresh.at: \"nan\" is not a share between 0 and 1: write one such as 0.6"
        ),
        (
            "refresh:\n  maxInFlight: 0",
            "/etc/t.yaml:2: refresh.maxInFlight: \"0\" is out of range: write a number from 1 to 10000"
        ),
        (
            "refresh:\n  maxInFlight: 6.4",
            "/etc/t.yaml:2: refresh.maxInFlight: \"6.4\" is not a whole number: write digits only"
        ),
        (
            "refresh:\n  maxPerSecond: -1",
            "/etc/t.yaml:2: refresh.maxPerSecond: \"-1\" is not a number above 0: write one of at most 100000"
        ),
        (
            "refresh:\n  timeout: 5 minutes",
            "/etc/t.yaml:2: refresh.timeout: \"5 minutes\" is not a duration: write a number and a unit, as in 500ms, 30s, 5m or 1h"
        ),
        (
            "refresh:\n  withoutDatabase: always",
            "/etc/t.yaml:2: refresh.withoutDatabase: \"always\" is not allowed: write auto or never"
        ),
        (
            "socket:\n  path: api.sock",
            "/etc/t.yaml:2: socket.path: \"api.sock\" is not an absolute path: begin it with /"
        ),
        ("socket:\n  mode: rw", "/etc/t.yaml:2: socket.mode: \"rw\" is not a file mode: write it in octal, as in 0660"),
        (
            "socket:\n  mode: 0888",
            "/etc/t.yaml:2: socket.mode: \"0888\" is not a file mode: write it in octal, as in 0660"
        ),
        (
            "socket:\n  group: nosuchgroup",
            "/etc/t.yaml:2: socket.group: \"nosuchgroup\" is no group of this host: create it, or name another"
        ),
        (
            "socket:\n  group: 4294967295",
            "/etc/t.yaml:2: socket.group: \"4294967295\" is no group of this host: create it, or name another"
        ),
        (
            "metrics:\n  listen: 0.0.0.0:9464",
            "/etc/t.yaml:2: metrics.listen: \"0.0.0.0:9464\" is not on loopback: listen at 127.0.0.1 or [::1]"
        ),
        (
            "metrics:\n  listen: \"[::]:9464\"",
            "/etc/t.yaml:2: metrics.listen: \"[::]:9464\" is not on loopback: listen at 127.0.0.1 or [::1]"
        ),
        (
            "metrics:\n  listen: 192.168.1.7:9464",
            "/etc/t.yaml:2: metrics.listen: \"192.168.1.7:9464\" is not on loopback: listen at 127.0.0.1 or [::1]"
        ),
        (
            "metrics:\n  listen: metrics.example:9464",
            "/etc/t.yaml:2: metrics.listen: \"metrics.example:9464\" is not on loopback: listen at 127.0.0.1 or [::1]"
        ),
        (
            "metrics:\n  listen: ip6-localhost:9464",
            "/etc/t.yaml:2: metrics.listen: \"ip6-localhost:9464\" is not on loopback: listen at 127.0.0.1 or [::1]"
        ),
        (
            "metrics:\n  listen: 127.1:9464",
            "/etc/t.yaml:2: metrics.listen: \"127.1:9464\" is not on loopback: listen at 127.0.0.1 or [::1]"
        ),
        (
            "metrics:\n  listen: 127.0.0.1",
            "/etc/t.yaml:2: metrics.listen: \"127.0.0.1\" is not an address to listen at: write it as in 127.0.0.1:9464"
        ),
        (
            "metrics:\n  listen: \"[::1]\"",
            "/etc/t.yaml:2: metrics.listen: \"[::1]\" is not an address to listen at: write it as in 127.0.0.1:9464"
        ),
        (
            "metrics:\n  listen: 9464",
            "/etc/t.yaml:2: metrics.listen: \"9464\" is not an address to listen at: write it as in 127.0.0.1:9464"
        ),
        (
            "metrics:\n  listen: 127.0.0.1:65536",
            "/etc/t.yaml:2: metrics.listen: \"127.0.0.1:65536\" is not an address to listen at: write it as in 127.0.0.1:9464"
        ),
        (
            "metrics:\n  listen: 127.0.0.1:-1",
            "/etc/t.yaml:2: metrics.listen: \"127.0.0.1:-1\" is not an address to listen at: write it as in 127.0.0.1:9464"
        ),
        (
            "metrics:\n  listen: 127.0.0.1:http",
            "/etc/t.yaml:2: metrics.listen: \"127.0.0.1:http\" is not an address to listen at: write it as in 127.0.0.1:9464"
        ),
        (
            "metrics:\n  listen: http://127.0.0.1:9464",
            "/etc/t.yaml:2: metrics.listen: \"http://127.0.0.1:9464\" is not an address to listen at: write it as in 127.0.0.1:9464"
        ),
        (
            "metrics:\n  listen: \"::1:9464\"",
            "/etc/t.yaml:2: metrics.listen: \"::1:9464\" is not an address to listen at: write it as in 127.0.0.1:9464"
        ),
        (
            "web:\n  listen: localhost",
            "/etc/t.yaml:2: web.listen: \"localhost\" is not an address to listen at: write it as in 127.0.0.1:3000"
        ),
        (
            "web:\n  listen: pages.example:3000",
            "/etc/t.yaml:2: web.listen: \"pages.example:3000\" is not an address to listen at: write it as in 127.0.0.1:3000"
        ),
        (
            "web:\n  publicUrl: http://localhost:3000/pages",
            "/etc/t.yaml:2: web.publicUrl: \"http://localhost:3000/pages\" is not an address for the pages: it must end after host and port: the pages have fixed paths"
        ),
        (
            "web:\n  publicUrl: http://me@localhost:3000",
            "/etc/t.yaml:2: web.publicUrl: \"http://me@localhost:3000\" is not an address for the pages: it must end after host and port: the pages have fixed paths"
        ),
        (
            "web:\n  publicUrl: localhost:3000",
            "/etc/t.yaml:2: web.publicUrl: \"localhost:3000\" is not an address for the pages: it must begin with http:// or https://"
        ),
        (
            "web:\n  publicUrl: http://tokens.example",
            "/etc/t.yaml:2: web.publicUrl: \"http://tokens.example\" would send sessions in clear: write https://, with a TLS proxy before web.listen"
        ),
        (
            "web:\n  publicUrl: http://127.0.0.1.evil.example:3000\n  allowRemote: true",
            "/etc/t.yaml:2: web.publicUrl: \"http://127.0.0.1.evil.example:3000\" would send sessions in clear: write https://, with a TLS proxy before web.listen"
        ),
        (
            "web:\n  enabled: maybe",
            "/etc/t.yaml:2: web.enabled: \"maybe\" is neither true nor false: write true or false"
        ),
        (
            "log:\n  level: verbose",
            "/etc/t.yaml:2: log.level: \"verbose\" is not allowed: write trace, debug, info, notice, warning, error or critical"
        ),
        ("log:\n  format: xml", "/etc/t.yaml:2: log.format: \"xml\" is not allowed: write journald, text or json"),
        // Contradictions.
        (
            "tastytrade:\n  apiUrl: https://api.cert.tastyworks.com",
            "/etc/t.yaml:2: tastytrade.apiUrl: api.cert.tastyworks.com is the host of sandbox, but tastytrade.env is production: make the two agree"
        ),
        (
            "tastytrade:\n  env: sandbox\n  apiUrl: https://api.tastytrade.com\n  allowUnlistedHost: true",
            "/etc/t.yaml:3: tastytrade.apiUrl: api.tastytrade.com is the host of production, but tastytrade.env is sandbox: make the two agree"
        ),
        (
            "tastytrade:\n  apiUrl: https://api.tastytrade.com",
            "/etc/t.yaml:2: tastytrade.apiUrl: api.tastytrade.com is not known to be TastyTrade's: correct it, or set tastytrade.allowUnlistedHost to true"
        ),
        (
            "tastytrade:\n  authorizeUrl: https://cert-my.staging-tasty.works/auth.html",
            "/etc/t.yaml:2: tastytrade.authorizeUrl: cert-my.staging-tasty.works is the host of sandbox, but tastytrade.env is production: make the two agree"
        ),
        (
            "tastytrade:\n  clientSecret: x\n  clientSecretFile: /s",
            "/etc/t.yaml:2: tastytrade.clientSecret: is given as well as tastytrade.clientSecretFile: keep one of the two"
        ),
        (
            "database:\n  columns:\n    id: \"Id\"\n    accessToken: \"\\\"id\\\"\"",
            "/etc/t.yaml:3: database.columns.id: two of database.columns are the same column: give each its own"
        ),
        (
            "refresh:\n  jitter: 0.4",
            "/etc/t.yaml:2: refresh.jitter: refresh.at plus or minus refresh.jitter leaves the token's life: keep both sums between 0 and 1"
        ),
        (
            "refresh:\n  connectTimeout: 31s",
            "/etc/t.yaml:2: refresh.connectTimeout: refresh.connectTimeout is longer than refresh.timeout: make it shorter, or refresh.timeout longer"
        ),
        (
            "refresh:\n  backoffMax: 500ms",
            "/etc/t.yaml:2: refresh.backoffMax: refresh.backoffInitial is longer than refresh.backoffMax: make it shorter, or refresh.backoffMax longer"
        ),
        (
            "refresh:\n  timeout: 1m",
            "/etc/t.yaml:2: refresh.timeout: refresh.claimFor is shorter than twice refresh.timeout: make it at least 2m, or refresh.timeout shorter"
        ),
        (
            "encryption:\n  mode: jwe",
            "/etc/t.yaml:2: encryption.mode: jwe needs keys, and encryption.jwe.keysFile names no file of them: make one with tastytokend keygen"
        ),
        (
            "encryption:\n  mode: rails\n  rails:\n    primaryKeys: [a]",
            "/etc/t.yaml:2: encryption.mode: rails needs encryption.rails.keyDerivationSalt: take it from active_record.encryption.key_derivation_salt of the application"
        ),
        (
            "encryption:\n  mode: rails\n  rails:\n    keyDerivationSalt: a",
            "/etc/t.yaml:2: encryption.mode: rails needs encryption.rails.primaryKeys: take it from active_record.encryption.primary_key of the application"
        ),
        (
            "socket:\n  credentialsPath: /run/tastytokend/api.sock",
            "/etc/t.yaml:2: socket.credentialsPath: socket.credentialsPath is the same as socket.path: give each its own"
        ),
        (
            "web:\n  listen: 192.0.2.1:80",
            "/etc/t.yaml:2: web.listen: web.listen is not on loopback: listen at 127.0.0.1 or [::1], or set web.allowRemote to true"
        ),
        // Access rules.
        ("access: root", "/etc/t.yaml:1: access: is not a list: begin each rule with -"),
        (
            "access:\n  - users: \"*\"\n    allow: [token]",
            "/etc/t.yaml:2: access: a rule names nobody: name one of user, group, uid, gid or unit, with users and allow"
        ),
        (
            "access:\n  - {user: a, group: b, users: \"*\", allow: [token]}",
            "/etc/t.yaml:2: access: a rule names more than one caller: name one of user, group, uid, gid or unit, with users and allow"
        ),
        (
            "access:\n  - {user: nosuchuser, users: \"*\", allow: [token]}",
            "/etc/t.yaml:2: access: this host has no user \"nosuchuser\": create it, or correct the rule"
        ),
        (
            "access:\n  - {group: nosuchgroup, users: \"*\", allow: [token]}",
            "/etc/t.yaml:2: access: this host has no group \"nosuchgroup\": create it, or correct the rule"
        ),
        (
            "access:\n  - {uid: me, users: \"*\", allow: [token]}",
            "/etc/t.yaml:2: access: uid of a rule is not the number of an id: write a number from 0 to 4294967294"
        ),
        (
            "access:\n  - {user: a, allow: [token]}",
            "/etc/t.yaml:2: access: a rule has no users: write users: \"*\" or a list of ids"
        ),
        ("access:", "/etc/t.yaml:1: access: is not a list: begin each rule with -"),
        (
            "access:\n  - bots",
            "/etc/t.yaml:2: access: a rule has no keys: name one of user, group, uid, gid or unit, with users and allow"
        ),
        (
            "access:\n  - {user: a, users: [], allow: [token]}",
            "/etc/t.yaml:2: access: users of a rule names nobody, or holds what is no id: write \"*\" or a list of ids"
        ),
        (
            "access:\n  - {user: a, users: [\"\"], allow: [token]}",
            "/etc/t.yaml:2: access: users of a rule names nobody, or holds what is no id: write \"*\" or a list of ids"
        ),
        (
            "access:\n  - {user: a, users: \"1,2\", allow: [token]}",
            "/etc/t.yaml:2: access: users of a rule is one text with a comma: write a list, as in [\"42\", \"43\"]"
        ),
        (
            "access:\n  - {user: a, users: [\"*\", \"1\"], allow: [token]}",
            "/etc/t.yaml:2: access: users of a rule has \"*\" beside ids: write \"*\" alone, or ids alone"
        ),
        (
            "access:\n  - {user: a, users: \"*\", allow: []}",
            "/etc/t.yaml:2: access: a rule allows nothing: write allow: [token]"
        ),
        (
            "access:\n  - {user: a, users: \"*\"}",
            "/etc/t.yaml:2: access: a rule allows nothing: write allow: [token]"
        ),
        (
            "access:\n  - {user: , users: \"*\", allow: [token]}",
            "/etc/t.yaml:2: access: user of a rule has no value: name one of user, group, uid, gid or unit, with users and allow"
        ),
        (
            "access:\n  - {gruop: bots, users: \"*\", allow: [token]}",
            "/etc/t.yaml:2: access: gruop is no part of a rule: did you mean group?"
        ),
        (
            "access:\n  - {uid: 4294967295, users: \"*\", allow: [token]}",
            "/etc/t.yaml:2: access: uid of a rule is not the number of an id: write a number from 0 to 4294967294"
        ),
        (
            "access:\n  - {user: a, users: \"*\", allow: [tokens]}",
            "/etc/t.yaml:2: access: \"tokens\" is no right: rights are token, refresh, status, enroll, admin"
        ),
    ])
    func fileMistakeIsOneExactLine(yaml: String, line: String) {
        var fixture = ConfigurationFixture(yaml)
        if yaml.contains("clientSecret") { fixture.environment = [:] }
        #expect(fixture.mistakes() == [line])
    }

    @Test(arguments: [
        (
            ["REFRESH_AT": "2"],
            "environment REFRESH_AT: refresh.at: \"2\" is not a share between 0 and 1: write one such as 0.6"
        ),
        (["TASTYTRADE_ENV": ""], "environment TASTYTRADE_ENV: tastytrade.env: is empty: give it a value, or remove it"),
        (
            ["TASTYTRADE_SCOPES": ","],
            "environment TASTYTRADE_SCOPES: tastytrade.scopes: is empty: give it a value, or remove it"
        ),
        (
            ["TASTYTRADE_CLIENT_SECRET": ""],
            "environment TASTYTRADE_CLIENT_SECRET: tastytrade.clientSecret: is empty: put the secret in, or remove it"
        ),
        (
            ["TASTYTRADE_CLIENT_SECRET": "a\nb"],
            "environment TASTYTRADE_CLIENT_SECRET: tastytrade.clientSecret: holds a line break or a control character: write it on one line"
        ),
        (
            ["TASTYTRADE_CLIENT_SECRET_FILE": "/none"],
            "environment TASTYTRADE_CLIENT_SECRET_FILE: tastytrade.clientSecretFile: \"/none\" does not exist: create it, or correct the path"
        ),
        (
            ["TASTYTRADE_CLIENT_SECRET_FILE": "/closed"],
            "environment TASTYTRADE_CLIENT_SECRET_FILE: tastytrade.clientSecretFile: \"/closed\" cannot be read (Permission denied): let the daemon's user read it"
        ),
        (
            ["TASTYTRADE_CLIENT_SECRET_FILE": "/empty"],
            "/empty: tastytrade.clientSecret: is empty: put the secret in, or remove it"
        ),
        (
            ["TASTYTRADE_CLIENT_SECRET_FILE": "/binary"],
            "environment TASTYTRADE_CLIENT_SECRET_FILE: tastytrade.clientSecretFile: \"/binary\" is not UTF-8 text: put nothing but the secret in it"
        ),
        (
            ["CREDENTIALS_DIRECTORY": "/creds"],
            "/creds/tastytrade-client-secret: tastytrade.clientSecret: begins or ends with white space: remove it"
        ),
        (
            [:],
            "tastytrade.clientSecret: is not set: pass the credential tastytrade-client-secret, or name a file in tastytrade.clientSecretFile"
        ),
        (
            ["TASTYTRADE_CLIENT_SECRET": "s", "DATABASE_URL": "mysql://planted@h/d"],
            "environment DATABASE_URL: database.url: is not a PostgreSQL URL: write postgresql://user@host/database"
        ),
    ])
    func environmentMistakeIsOneExactLine(environment: [String: String], line: String) {
        var fixture = ConfigurationFixture()
        fixture.environment = environment
        if !environment.keys.contains(where: { $0.contains("SECRET") || $0.contains("CREDENTIALS") }),
            !environment.isEmpty
        {
            fixture.environment["TASTYTRADE_CLIENT_SECRET"] = "s"
        }
        fixture.put("/closed", "s", mode: 0)
        fixture.put("/empty", "\n")
        fixture.put("/creds/tastytrade-client-secret", " s\n")
        fixture.files["/binary"] = FileReading.Contents(bytes: [0xFF, 0xFE], mode: 0o600)
        #expect(fixture.mistakes() == [line])
    }

    @Test func everyMistakeIsToldAtOnceAndInTheOrderOfTheFile() {
        var fixture = ConfigurationFixture(
            "log:\n  level: loud\nrefresh:\n  at: 7\n  tiemout: 3s\n  maxInFlight: many\ntastytrade:\n  env: test\n"
        )
        fixture.environment = ["REFRESH_JITTER": "x"]
        #expect(
            fixture.mistakes() == [
                "/etc/t.yaml:2: log.level: \"loud\" is not allowed: write trace, debug, info, notice, warning, error or critical",
                "/etc/t.yaml:4: refresh.at: \"7\" is not a share between 0 and 1: write one such as 0.6",
                "/etc/t.yaml:5: refresh.tiemout: is no known key: did you mean refresh.timeout?",
                "/etc/t.yaml:6: refresh.maxInFlight: \"many\" is not a whole number: write digits only",
                "/etc/t.yaml:8: tastytrade.env: \"test\" is not allowed: write production or sandbox",
                "environment REFRESH_JITTER: refresh.jitter: \"x\" is not a share between 0 and 1: write one such as 0.6",
                "tastytrade.clientSecret: is not set: pass the credential tastytrade-client-secret, or name a file in tastytrade.clientSecretFile",
            ]
        )
    }

    @Test(arguments: [
        "", "no certificate", "-----BEGIN CERTIFICATE-----\nbroken\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\nTUlJQg==\n-----END CERTIFICATE-----\n",
    ])
    func aFileWithoutUsableCertificatesIsAMistakeAmongTheOthers(text: String) {
        var fixture = ConfigurationFixture("tastytrade:\n  caFile: /ca.pem\nlog:\n  level: loud")
        fixture.put("/ca.pem", text)
        let mistakes = fixture.mistakes()
        #expect(
            mistakes.first
                == "/etc/t.yaml:2: tastytrade.caFile: /ca.pem holds no certificate: name a file of PEM certificates"
        )
        #expect(mistakes.count == 2)
    }

    @Test func everyMistakeOfARuleIsToldWithItsOwnLine() {
        let yaml = """
            access:
              - group: nosuchgroup
                users: []
                allow: [tokens, status, all]
              - uid: me
                gid: 7
                uesrs: "*"
                allow: [token]
                colour: red
            """
        #expect(
            ConfigurationFixture(yaml).mistakes() == [
                "/etc/t.yaml:2: access: this host has no group \"nosuchgroup\": create it, or correct the rule",
                "/etc/t.yaml:3: access: users of a rule names nobody, or holds what is no id: write \"*\" or a list of ids",
                "/etc/t.yaml:4: access: \"tokens\" is no right: rights are token, refresh, status, enroll, admin",
                "/etc/t.yaml:4: access: \"all\" is no right: rights are token, refresh, status, enroll, admin",
                "/etc/t.yaml:5: access: uid of a rule is not the number of an id: write a number from 0 to 4294967294",
                "/etc/t.yaml:5: access: a rule names more than one caller: name one of user, group, uid, gid or unit, with users and allow",
                "/etc/t.yaml:7: access: uesrs is no part of a rule: did you mean users?",
                "/etc/t.yaml:9: access: colour is no part of a rule: name one of user, group, uid, gid or unit, with users and allow",
            ]
        )
    }

    @Test func keysThatStandTwiceHideNothingAndMakeNothingUp() {
        var fixture = ConfigurationFixture(
            """
            tastytrade:
              clientSecret: s
              env: prod
            log:
              level: loud
            refresh: {timeout: 1m, timeout: 30s, at: 7}
            log:
              format: xml
            "log": {}
            access:
              - {user: a, user: nosuchuser, users: "*", allow: [token]}
            """
        )
        fixture.environment = [:]
        #expect(
            fixture.mistakes() == [
                "/etc/t.yaml:3: tastytrade.env: \"prod\" is not allowed: write production or sandbox",
                "/etc/t.yaml:4: says \"log\" more than once: keep one of them",
                "/etc/t.yaml:5: log.level: \"loud\" is not allowed: write trace, debug, info, notice, warning, error or critical",
                "/etc/t.yaml:6: says \"timeout\" more than once: keep one of them",
                "/etc/t.yaml:6: refresh.at: \"7\" is not a share between 0 and 1: write one such as 0.6",
                "/etc/t.yaml:7: says \"log\" more than once: keep one of them",
                "/etc/t.yaml:8: log.format: \"xml\" is not allowed: write journald, text or json",
                "/etc/t.yaml:11: says \"user\" more than once: keep one of them",
                "/etc/t.yaml:11: access: this host has no user \"nosuchuser\": create it, or correct the rule",
            ]
        )
    }

    @Test(arguments: ["log: [", "&a log: {}\n&a log: {}", "- 1\n- 2: ["])
    func aFileThatCannotBeReadToItsEndIsNotSaidToLackAnything(yaml: String) {
        var fixture = ConfigurationFixture(yaml)
        fixture.environment = ["REFRESH_AT": "x", "REFRESH_TIMEOUT": "50s"]
        let lines = fixture.mistakes()
        #expect(lines.count == 2, "\(lines)")
        #expect(
            lines.last
                == "environment REFRESH_AT: refresh.at: \"x\" is not a share between 0 and 1: write one such as 0.6"
        )
    }

    @Test func aMissingFileHidesNoMistakeOfTheEnvironment() {
        let nothing = FileReading { _, _ throws(FileReading.Failure) in throw .missing }
        #expect {
            _ = try Configuration.load(path: "/x.yaml", environment: ["REFRESH_AT": "2"], files: nothing)
        } throws: {
            "\($0)" == """
                /x.yaml: does not exist: correct --config
                environment REFRESH_AT: refresh.at: "2" is not a share between 0 and 1: write one such as 0.6
                """
        }
    }

    @Test func namedFileThatIsNotThereIsAMistakeButTheDefaultOneMayBeMissing() throws {
        _ = try ConfigurationFixture().load()
        let nothing = FileReading { _, _ throws(FileReading.Failure) in throw .missing }
        #expect {
            _ = try Configuration.load(path: "/x.yaml", environment: [:], files: nothing)
        } throws: {
            "\($0)" == "/x.yaml: does not exist: correct --config"
        }
    }

    @Test(arguments: [
        "tastytrade:\n  clientSecret: {planted: planted}", "tastytrade:\n  clientSecret: \" planted\"",
        "tastytrade:\n  clientSecret: \"planted\n  x: [", "database:\n  url: planted",
        "tastytrade:\n  clientSecret: planted\n  clientSecret: planted",
        "database:\n  url: postgresql://u:planted@planted@h/d", "database:\n  url: postgresql://u:p/planted@h:1/d",
        "database:\n  url: \"passwort=planted\"",
        "tastytrade:\n  clientSecret: [planted]", "tastytrade:\n  clientSecret: \"plan\\nplanted\"",
    ])
    func noMistakeShowsASecret(yaml: String) {
        var fixture = ConfigurationFixture(yaml)
        fixture.environment = [:]
        let lines = fixture.mistakes()
        #expect(!lines.isEmpty)
        #expect(!lines.contains { $0.contains("planted") }, "\(lines)")
    }

    @Test func longAndUglyValuesAreBoundedAndOnOneLine() {
        let lines = ConfigurationFixture(
            "log:\n  level: \"a\\nb\\e[31m\(String(repeating: "x", count: 5000))\"\n\"k\\nk\": 1\n"
        ).mistakes()
        #expect(lines.count == 2)
        #expect(lines.allSatisfy { $0.utf8.count < 300 && !$0.contains("\n") && !$0.contains("\u{1B}") }, "\(lines)")
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import HostSystemd
import Logging
import Synchronization
import Testing
import TokenCore

@testable import TokenDaemon

/// What a second look at the configuration does, with files in memory.
@Suite struct ConfigurationReloaderTests {
    private final class Machine: Sendable {
        let fixture: Mutex<ConfigurationFixture>
        let applied = Mutex<[Configuration]>([])
        let changes = Mutex<[ConfigurationChange]>([])
        let lines = Mutex<[String]>([])
        let objection = Mutex<DaemonFailure?>(nil)

        init(_ fixture: ConfigurationFixture) {
            self.fixture = Mutex(fixture)
        }

        func reloader() throws -> ConfigurationReloader {
            let logger = Logger(label: "t") { [self] label in
                LineLogHandler(
                    label: label,
                    level: LogThreshold(.trace),
                    layout: .text,
                    sink: LineSink { line in self.lines.withLock { $0.append(String(decoding: line, as: UTF8.self)) } },
                    now: { WallTime(nanoseconds: 0) }
                )
            }
            return ConfigurationReloader(try fixture.withLock { $0 }.load(), logger: logger) { [self] in
                do throws(ConfigurationError) {
                    return .success(try fixture.withLock { $0 }.load())
                } catch {
                    return .failure(.configuration("\(error)"))
                }
            } objection: { [self] _, _ in
                objection.withLock { $0 }
            } apply: { [self] configuration, change in
                applied.withLock { $0.append(configuration) }
                changes.withLock { $0.append(change) }
            }
        }

        func put(_ text: String, at path: String = ConfigurationFixture.path) {
            fixture.withLock { $0.put(path, text, mode: 0o600) }
        }

        var appliedConfigurations: [Configuration] { applied.withLock { $0 } }

        /// What was logged since the last look, times left out.
        func said() -> [String] {
            lines.withLock { lines in
                defer { lines = [] }
                return lines.map { String($0.dropFirst("1970-01-01T00:00:00Z ".count).dropLast()) }
            }
        }
    }

    @Test func whatMustNotFollowUponWhatIsInForceChangesNothing() async throws {
        let machine = Machine(ConfigurationFixture("log: {level: info}"))
        let reloader = try machine.reloader()
        machine.put("log: {level: debug}")
        machine.objection.withLock { $0 = .configuration("the key k is gone: put it back") }
        #expect(await reloader.reload() == false)
        #expect(machine.appliedConfigurations.isEmpty)
        #expect(
            machine.said() == [
                "error t: configuration not reloaded, the one before stays in force "
                    + "configuration.finding=\"the key k is gone: put it back\""
            ]
        )
        machine.objection.withLock { $0 = nil }
        #expect(await reloader.reload() == true)
        #expect(machine.appliedConfigurations.count == 1)
    }

    @Test func whatCanChangeIsAppliedAndNamed() async throws {
        let machine = Machine(ConfigurationFixture("log: {level: info}"))
        let reloader = try machine.reloader()
        machine.put(
            "log: {level: debug}\nrefresh: {maxPerSecond: 5}\naccess:\n- {uid: 7, users: \"*\", allow: [token]}"
        )
        await reloader.reload()
        #expect(
            machine.said() == [
                "notice t: configuration reloaded configuration.changed=\"refresh.maxPerSecond, access, log.level\""
            ]
        )
        let applied = machine.appliedConfigurations
        #expect(applied.map(\.log.level) == [.debug] && applied.map(\.access.count) == [1])
        await reloader.reload()
        #expect(machine.said() == ["notice t: configuration reloaded configuration.changed=nothing"])
    }

    @Test func keysAreTakenOnlyWhereTheyChanged() async throws {
        func keys(_ id: String) -> String {
            #"{"keys":[{"kty":"oct","kid":"\#(id)","k":"\#(String(repeating: "A", count: 43))"}]}"#
        }
        let text = "encryption: {mode: jwe, jwe: {keysFile: /keys}}"
        let machine = Machine(ConfigurationFixture(text))
        machine.put(keys("one"), at: "/keys")
        let reloader = try machine.reloader()
        await reloader.reload()
        machine.put(text + "\nlog: {level: debug}")
        await reloader.reload()
        machine.put(keys("two"), at: "/keys")
        await reloader.reload()
        await reloader.reload()
        #expect(machine.changes.withLock { $0.map(\.hasKeys) } == [false, false, true, false])
    }

    @Test func aRuleThatChangedIsNoticedThoughTheirNumberDidNot() async throws {
        let machine = Machine(ConfigurationFixture("access: [{uid: 7, users: \"*\", allow: [token]}]"))
        let reloader = try machine.reloader()
        machine.put("access: [{uid: 8, users: \"*\", allow: [token]}]")
        await reloader.reload()
        #expect(machine.said() == ["notice t: configuration reloaded configuration.changed=access"])
    }

    @Test func whatNeedsARestartIsNamedUntilItIsAsItWasAtTheStart() async throws {
        let machine = Machine(ConfigurationFixture("socket: {path: /a}"))
        let reloader = try machine.reloader()
        machine.put("socket: {path: /b}\nrefresh: {timeout: 20s}")
        for _ in 0..<2 {
            await reloader.reload()
            #expect(
                machine.said() == [
                    "notice t: configuration reloaded configuration.changed=nothing",
                    "warning t: settings changed that need a restart configuration.changed=\"refresh.timeout, socket.path\"",
                ]
            )
        }
        machine.put("socket: {path: /a}")
        await reloader.reload()
        #expect(machine.said() == ["notice t: configuration reloaded configuration.changed=nothing"])
    }

    @Test func aMistakeChangesNothingAndEachIsALine() async throws {
        let machine = Machine(ConfigurationFixture("log: {level: info}"))
        let reloader = try machine.reloader()
        machine.put("log:\n  level: debug\nrefresh:\n  at: 7\nsocket:\n  group: nosuchgroup")
        await reloader.reload()
        let head = "error t: configuration not reloaded, the one before stays in force configuration.finding="
        let said = machine.said()
        #expect(said.count == 2 && said.allSatisfy { $0.hasPrefix(head) })
        #expect(said.first?.contains("/etc/t.yaml:4: refresh.at:") == true)
        #expect(machine.appliedConfigurations.isEmpty)
        machine.put("log: {level: debug}")
        await reloader.reload()
        #expect(machine.said() == ["notice t: configuration reloaded configuration.changed=log.level"])
    }

    @Test(arguments: [
        ("tastytrade-client-secret", "tastytrade.clientSecret", true), ("database-url", "database.url", false),
    ])
    func aSecretThatChangedInItsFileIsNoticedAndNotShown(name: String, key: String, isLive: Bool) async throws {
        for (variable, path) in [("CREDENTIALS_DIRECTORY", "/c"), (nil, "/c")] {
            var fixture = ConfigurationFixture()
            fixture.environment = ["CREDENTIALS_DIRECTORY": "/c"]
            fixture.put("\(path)/tastytrade-client-secret", "canary-one")
            fixture.put("\(path)/database-url", "postgresql://u:canary-one@h/d")
            if variable == nil {
                fixture.environment = [
                    "TASTYTRADE_CLIENT_SECRET_FILE": "/c/tastytrade-client-secret",
                    "DATABASE_URL_FILE": "/c/database-url",
                ]
            }
            let machine = Machine(fixture)
            let reloader = try machine.reloader()
            machine.put(name == "database-url" ? "postgresql://u:canary-two@h/d" : "canary-two", at: "\(path)/\(name)")
            await reloader.reload()
            let said = machine.said()
            #expect(said.last?.hasSuffix("configuration.changed=\(key)") == true, "\(said)")
            #expect(said.count == (isLive ? 1 : 2))
            #expect(!said.contains { $0.contains("canary") })
            let secret = machine.appliedConfigurations.last?.tastytrade.clientSecret
            #expect(secret == Secret(isLive ? "canary-two" : "canary-one"))
        }
    }
}

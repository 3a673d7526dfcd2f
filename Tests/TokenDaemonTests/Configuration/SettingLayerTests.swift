// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Configuration
import Testing

@testable import TokenDaemon

@Suite struct SettingLayerTests {
    private static let yaml = """
        tastytrade:
          clientId: one, two
          scopes: [read, "", trade]
        database: {url: planted-1}
        encryption: {rails: {primaryKeys: [planted-2]}}
        """
    private let file = FileSettings(path: "/t.yaml", bytes: Array(Self.yaml.utf8))
    private let environment = [
        "TASTYTRADE_SCOPES": " a,, b ", "REFRESH_AT": "", "DATABASE_URL": "planted-3", "PGPASSWORD": "planted-4",
    ]

    @Test func theFileSaysWhatIsWrittenAndOnWhichLine() {
        let layer = SettingLayer.file(file.values)
        #expect(
            layer.setting(.named("tastytrade.clientId"))
                == Setting(value: .text("one, two"), place: .file("/t.yaml", line: 2))
        )
        #expect(
            layer.setting(.named("tastytrade.scopes"))
                == Setting(value: .list(["read", "", "trade"]), place: .file("/t.yaml", line: 3))
        )
        #expect(layer.setting(.named("refresh.at")) == nil)
    }

    @Test func theEnvironmentSaysWhatIsWrittenAndInWhichVariableEvenIfThatIsNothing() {
        let layer = SettingLayer.environment(environment)
        #expect(
            layer.setting(.named("tastytrade.scopes"))
                == Setting(value: .text(" a,, b "), place: .environment("TASTYTRADE_SCOPES"))
        )
        #expect(layer.setting(.named("refresh.at")) == Setting(value: .text(""), place: .environment("REFRESH_AT")))
        #expect(layer.setting(.named("refresh.jitter")) == nil)
    }

    @Test(arguments: [ConfigType.int, .double, .bool, .bytes, .stringArray])
    func theFileGivesATextAsNothingElse(type: ConfigType) {
        #expect(throws: FileSnapshot.Mismatch(name: "tastytrade.clientId", type: type)) {
            try file.values.value(forKey: "tastytrade.clientId", type: type)
        }
    }

    @Test func aListOfTheFileIsNoText() {
        #expect(throws: FileSnapshot.Mismatch(name: "tastytrade.scopes", type: .string)) {
            try file.values.value(forKey: "tastytrade.scopes", type: .string)
        }
    }

    @Test func nothingOfALayerIsPrinted() throws {
        let reader = SettingReader(
            environment: environment,
            files: .system,
            names: .system,
            file: file,
            fileMode: nil
        )
        #expect(reader.setting("database.url")?.value == .text("planted-3"))
        let answer = try file.values.value(forKey: "database.url", type: .string)
        #expect(answer.value?.content == .string("planted-1"))
        let things: [Any] = [
            SettingLayer.environment(environment), SettingLayer.file(file.values), file.values, file, reader,
        ]
        for thing in things {
            var text = "\(thing) " + String(reflecting: thing)
            dump(thing, to: &text)
            #expect(!text.contains("planted"))
        }
        #expect(!"\(answer)".contains("planted"))
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import Glibc
import HostSystemd
import Logging
import Synchronization
import Testing
import TokenCore
import TokenDaemon

@Suite struct LineLogHandlerTests {
    private final class Lines: Sendable {
        let written = Mutex<[String]>([])

        func logger(_ layout: LineLayout, level: Logger.Level = .trace) -> Logger {
            Logger(label: "engine") { label in
                LineLogHandler(
                    label: label,
                    level: LogThreshold(level),
                    layout: layout,
                    sink: LineSink { line in self.written.withLock { $0.append(String(decoding: line, as: UTF8.self)) }
                    },
                    now: { WallTime(nanoseconds: 1_767_225_600_123_456_999) }
                )
            }
        }

        var all: [String] { written.withLock { $0 } }
    }

    private let lines = Lines()

    @Test func textIsOneLineForPeople() {
        lines.logger(.text).warning("refresh failed", metadata: ["user.id": "42", "error": "no \"way\" out"])
        #expect(
            lines.all == [
                "2026-01-01T00:00:00.123456Z warning engine: refresh failed error=\"no \\\"way\\\" out\" user.id=42\n"
            ]
        )
    }

    @Test func jsonIsOneObjectALine() throws {
        lines.logger(.json).error(
            "a\nb \"c\" \\ \u{1B}[31m",
            metadata: ["user.id": "4\u{2028}2", "deep": ["er": "x"], "level": "forged"]
        )
        let line = try #require(lines.all.first)
        #expect(line.hasSuffix("}\n") && line.dropLast().allSatisfy { !$0.isNewline })
        let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        #expect(object["time"] as? String == "2026-01-01T00:00:00.123456Z")
        #expect(object["level"] as? String == "error")
        #expect(object["logger"] as? String == "engine")
        #expect(object["message"] as? String == "a\\nb \"c\" \\ \\u{1b}[31m")
        #expect(object["user.id"] as? String == "4\\u{2028}2")
        #expect(object["deep.er"] as? String == "x")
        #expect(object["metadata.level"] as? String == "forged")
        #expect(object.count == 7)
    }

    @Test(arguments: [LineLayout.text, .json])
    func noRecordCanLookLikeTwo(layout: LineLayout) {
        let ugly = "x\n2026-01-01T00:00:00.000Z critical engine: forged\r\u{85}\u{2029}\0"
        lines.logger(layout).info("\(ugly)", metadata: ["\(ugly)": "\(ugly)"])
        #expect(lines.all.count == 1)
        #expect(lines.all.first?.dropLast().contains { $0.isNewline || $0 == "\0" } == false)
    }

    @Test func numbersAreNumbersInJSONAndTextsOfDigitsAreNot() throws {
        lines.logger(.json).info(
            "m",
            metadata: [
                "user.id": "42", "accounts": .stringConvertible(42), "share": .stringConvertible(0.6),
                "big": .stringConvertible(UInt64.max), "odd": .stringConvertible(Double.nan), "list": ["1"],
                "deep": ["n": .stringConvertible(-1)], "level": .stringConvertible(3),
            ]
        )
        let line = try #require(lines.all.first)
        for part in [
            "\"user.id\":\"42\"", "\"accounts\":42", "\"share\":0.6", "\"big\":18446744073709551615", "\"odd\":\"nan\"",
            "\"deep.n\":-1", "\"metadata.level\":3",
        ] { #expect(line.contains(part), "\(line)") }
        _ = try JSONSerialization.jsonObject(with: Data(line.utf8))
    }

    @Test func theLevelCanBeChangedForAllLoggersAtOnce() {
        let threshold = LogThreshold(.warning)
        let written = Mutex(0)
        let loggers = ["a", "b"].map { label in
            Logger(label: label) { label in
                LineLogHandler(
                    label: label,
                    level: threshold,
                    layout: .text,
                    sink: LineSink { _ in written.withLock { $0 += 1 } },
                    now: { WallTime(nanoseconds: 0) }
                )
            }
        }
        for logger in loggers { logger.notice("x") }
        #expect(written.withLock { $0 } == 0)
        threshold.level = .debug
        for logger in loggers { logger.debug("x") }
        #expect(written.withLock { $0 } == 2)
        var own = loggers[0]
        own.logLevel = .error
        own.warning("x")
        #expect(written.withLock { $0 } == 2, "a level of its own goes before")
        #expect(loggers[1].logLevel == .debug)
    }

    @Test func lesserLevelsAreNotWritten() {
        lines.logger(.text, level: .warning).notice("x")
        #expect(lines.all.isEmpty)
    }
}

@Suite struct LogOutputTests {
    private func line(of format: String?, environment: [String: String] = [:]) throws -> String {
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        defer { ends.forEach { close($0) } }
        var fixture = ConfigurationFixture()
        fixture.environment["LOG_FORMAT"] = format
        let log = try fixture.load().configuration.log
        let now: @Sendable () -> WallTime = { WallTime(nanoseconds: 0) }
        let factory = LogOutput.factory(
            log,
            level: LogThreshold(log.level),
            environment: environment,
            descriptor: ends[1],
            now: now
        )
        Logger(label: "l", factory: factory).info("m")
        var buffer = [UInt8](repeating: 0, count: 512)
        _ = fcntl(ends[0], F_SETFL, O_NONBLOCK)
        let count = read(ends[0], &buffer, buffer.count)
        return String(decoding: buffer.prefix(max(count, 0)), as: UTF8.self)
    }

    @Test func formatsGoToTheStandardError() throws {
        #expect(try line(of: nil) == "1970-01-01T00:00:00Z info l: m\n")
        #expect(try line(of: "text") == "1970-01-01T00:00:00Z info l: m\n")
        #expect(try line(of: "json").hasPrefix("{\"time\":\"1970-01-01T00:00:00Z\",\"level\":\"info\""))
        #expect(try line(of: "journald") == "")
        #expect(try line(of: nil, environment: ["JOURNAL_STREAM": "1:1"]) == "1970-01-01T00:00:00Z info l: m\n")
    }
}

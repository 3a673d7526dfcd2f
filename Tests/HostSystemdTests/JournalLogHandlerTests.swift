// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Glibc
import HostSystemd
import Logging
import Synchronization
import Testing

@Suite struct JournalLogHandlerTests {
    private final class Journal: Sendable {
        let records = Mutex<[[String]]>([])

        func logger(level: Logger.Level = .trace, provider: Logger.MetadataProvider? = nil) -> Logger {
            Logger(label: "engine") { label in
                JournalLogHandler(
                    label: label,
                    identifier: "tastytokend",
                    level: LogThreshold(level),
                    metadataProvider: provider
                ) { record in
                    self.records.withLock { $0.append(record.fields) }
                }
            }
        }

        var fields: [String] { records.withLock { $0.last ?? [] } }
    }

    private let journal = Journal()

    @Test func metadataBecomesFieldsOfTheContract() {
        journal.logger().warning(
            "refresh failed",
            metadata: ["user.id": "42", "event": "refresh.failed", "error.code": "invalid_grant"]
        )
        #expect(
            journal.fields.first
                == "MESSAGE=refresh failed error.code=invalid_grant event=refresh.failed user.id=42"
        )
        for field in [
            "PRIORITY=4", "SYSLOG_IDENTIFIER=tastytokend", "LOGGER=engine", "USER_ID=42", "EVENT=refresh.failed",
            "ERROR_CODE=invalid_grant",
        ] {
            #expect(journal.fields.contains(field), "\(field)")
        }
        #expect(journal.fields.contains { $0.hasPrefix("CODE_FILE=") && $0.hasSuffix("JournalLogHandlerTests.swift") })
    }

    @Test(arguments: [
        ("message", "FIELD_MESSAGE"), ("priority", "FIELD_PRIORITY"), ("syslog.identifier", "FIELD_SYSLOG_IDENTIFIER"),
        ("_pid", "PID"), ("_uid", "UID"), ("code.line", "FIELD_CODE_LINE"), ("object.pid", "FIELD_OBJECT_PID"),
        ("7days", "FIELD_7DAYS"), ("retry-after", "RETRY_AFTER"), ("größe", "GR__E"), ("unit", "FIELD_UNIT"),
    ])
    func keysBecomeNamesThatTheJournalAllowsAndNeverReservedOnes(key: String, name: String) {
        journal.logger().info("x", metadata: [key: "planted"])
        #expect(journal.fields.filter { $0.hasSuffix("=planted") && !$0.hasPrefix("MESSAGE=") } == ["\(name)=planted"])
    }

    @Test func keysOfNothingUsableStandInTheMessageOnly() {
        journal.logger().info("x", metadata: ["_": "planted"])
        #expect(journal.fields.filter { $0.contains("planted") } == ["MESSAGE=x _=planted"])
    }

    @Test(arguments: zip(Logger.Level.allCases, [7, 7, 6, 5, 4, 3, 2]))
    func levelsBecomeSyslogPriorities(level: Logger.Level, priority: Int) {
        journal.logger().log(level: level, "x")
        #expect(journal.fields.contains("PRIORITY=\(priority)"))
    }

    @Test func whatComesFromOutsideStaysInItsFieldAndWithinBounds() {
        journal.logger().error(
            "endpoint answered",
            metadata: ["error": "a\nPRIORITY=0\n\u{1B}[2J", "body": "\(String(repeating: "x", count: 100_000))"]
        )
        #expect(journal.fields.contains("ERROR=a\\nPRIORITY=0\\n\\u{1b}[2J"))
        #expect(journal.fields.filter { $0.hasPrefix("PRIORITY=") } == ["PRIORITY=3"])
        let total = journal.fields.reduce(0) { $0 + $1.utf8.count }
        #expect(total < 4096)
    }

    @Test func recordsHaveABoundedNumberOfFields() {
        let many = Dictionary(uniqueKeysWithValues: (0..<500).map { ("k\($0)", Logger.MetadataValue.string("v")) })
        journal.logger().info("x", metadata: many)
        #expect(journal.fields.count < 64)
        #expect(journal.fields.contains("FIELDS_DROPPED=452"))
    }

    @Test func nearerMetadataWins() {
        var logger = journal.logger(provider: .init { ["user.id": "task", "event": "task"] })
        logger[metadataKey: "user.id"] = "logger"
        logger[metadataKey: "client"] = "logger"
        logger.info("x", metadata: ["event": "call"])
        #expect(journal.fields.contains("USER_ID=task"))
        #expect(journal.fields.contains("EVENT=call"))
        #expect(journal.fields.contains("CLIENT=logger"))
    }

    @Test func deeperMetadataHasADottedKey() {
        journal.logger().info("x", metadata: ["error": ["code": "a", "list": ["b", "c"]]])
        #expect(journal.fields.contains("ERROR_CODE=a"))
        #expect(journal.fields.contains("ERROR_LIST=[\"b\", \"c\"]"))
    }

    @Test func lesserLevelsAreNotWritten() {
        journal.logger(level: .notice).info("x")
        #expect(journal.fields.isEmpty)
    }

    @Test func streamIsTheJournalOnlyIfDeviceAndInodeAgree() throws {
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        defer { ends.forEach { close($0) } }
        var status = stat()
        try #require(fstat(ends[1], &status) == 0)
        let right = "\(status.st_dev):\(status.st_ino)"
        #expect(JournalStream.isConnected(to: ends[1], environment: ["JOURNAL_STREAM": right]))
        for wrong in ["\(status.st_dev):\(status.st_ino + 1)", "", "1", "a:b", "\(right):1"] {
            #expect(!JournalStream.isConnected(to: ends[1], environment: ["JOURNAL_STREAM": wrong]))
        }
        #expect(!JournalStream.isConnected(to: ends[1], environment: [:]))
    }
}

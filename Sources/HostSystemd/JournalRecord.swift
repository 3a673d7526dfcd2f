// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import CSystemd
import Glibc
import Logging

/// A record as the journal takes it: `NAME=value` fields, one after the other in one piece of memory.
package struct JournalRecord: Sendable {
    private var bytes: [UInt8] = []
    private var ends: [Int] = []

    /// Adds a field; the name must be one the journal allows.
    mutating func append(_ name: String, _ value: String) {
        bytes.append(contentsOf: name.utf8)
        bytes.append(UInt8(ascii: "="))
        bytes.append(contentsOf: value.utf8)
        ends.append(bytes.count)
    }

    /// The fields as text, in the order they were added.
    package var fields: [String] {
        ranges.map { String(decoding: bytes[$0], as: UTF8.self) }
    }

    /// Hands the record to the journal (sd_journal_sendv(3)). A journal that does not take it loses it: there is
    /// nowhere left to complain.
    package func sendToJournal() {
        bytes.withUnsafeBytes { memory in
            guard let base = memory.baseAddress else { return }
            let vectors = ranges.map { range in
                iovec(iov_base: UnsafeMutableRawPointer(mutating: base + range.lowerBound), iov_len: range.count)
            }
            _ = sd_journal_sendv(vectors, Int32(vectors.count))
        }
    }

    private var ranges: [Range<Int>] {
        zip([0] + ends, ends).map { $0..<$1 }
    }
}

extension RecordWriter where Record == JournalRecord {
    /// Hands records to the journal.
    ///
    /// - Parameter identifier: the program's name, for the record that tells of those that were dropped.
    /// - Returns: the writer.
    package static func toJournal(identifier: String) -> RecordWriter {
        RecordWriter {
            $0.sendToJournal()
        } wordsForDropped: { dropped in
            var record = JournalRecord()
            record.append("MESSAGE", LogRecord.dropped(dropped).line)
            record.append("PRIORITY", "\(JournalLogHandler.priority(of: .warning))")
            record.append("SYSLOG_IDENTIFIER", identifier)
            return record
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// What a journal's bytes hold: pure, whatever the bytes are.
///
/// A record tells by its seal that it is one. So where bytes are damaged, the next record is looked for behind them, and no more is
/// lost than what was damaged. What comes after the last record may have been under way when the process or the machine ended;
/// nothing was done that depended upon it.
struct JournalScan: Sendable {
    /// The entries that were not settled, by their user.
    private(set) var open: [UserID: FramedRecord] = [:]
    /// The number of the last record; zero if there is none.
    private(set) var lastNumber: UInt64 = 0
    /// Where the last record ends.
    private(set) var soundLength: Int
    /// How many bytes between records are no records.
    private(set) var damagedBytes = 0
    /// How many bytes come after the last record.
    private(set) var leftOverBytes = 0
    /// Whether the file begins as one of this form does; an empty one does too.
    let isJournal: Bool

    private let bytes: [UInt8]
    private let seal: RecordSeal
    private let now: Moment

    /// Reads a file's bytes, as at the time that is given.
    init(_ bytes: [UInt8], _ seal: RecordSeal, at now: Moment) {
        (self.bytes, self.seal, self.now) = (bytes, seal, now)
        // A header may have been cut short as any record may.
        isJournal = zip(bytes, JournalForm.header).allSatisfy { $0 == $1 }
        soundLength = min(bytes.count, JournalForm.header.count)
        if isJournal { readRecords() }
    }

    /// The entries that were not settled, in the order in which they were made.
    var entries: [FramedRecord] { open.values.sorted { $0.number < $1.number } }

    /// What is in the file besides records, in words; nil if nothing is.
    var damage: String? {
        guard isJournal else { return "does not begin as a reply journal of this version does" }
        if damagedBytes > 0 {
            return "\(damagedBytes + leftOverBytes) bytes are no entries, or were sealed by another local-key"
        }
        guard leftOverBytes > 0 else { return nil }
        return
            "\(leftOverBytes) bytes at its end are no entry, as a loss of power leaves them, or were sealed by another local-key"
    }

    private mutating func readRecords() {
        var offset = soundLength
        while offset + JournalForm.prefixLength < bytes.count {
            guard let found = record(at: offset) else {
                offset += 1
                continue
            }
            damagedBytes += offset - soundLength
            take(found)
            offset += found.bytes.count
            soundLength = offset
        }
        leftOverBytes = bytes.count - soundLength
    }

    private func record(at offset: Int) -> FramedRecord? {
        let numberAt = offset + 4
        let start = offset + JournalForm.prefixLength
        let length = Int(JournalForm.number(bytes[offset..<numberAt]))
        guard length > 0, length <= JournalForm.longestSealed, length <= bytes.count - start else { return nil }
        let number = JournalForm.number(bytes[numberAt..<start])
        guard number > lastNumber,
            let clear = seal.open(Array(bytes[start..<start + length]), JournalForm.place(number)),
            let record = JournalRecord(clear, at: now)
        else { return nil }
        return FramedRecord(number: number, bytes: Array(bytes[offset..<start + length]), record: record)
    }

    private mutating func take(_ found: FramedRecord) {
        lastNumber = found.number
        open[found.record.user] = found.record.isEntry ? found : nil
    }
}

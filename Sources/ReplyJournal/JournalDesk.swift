// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// What the journal's queue works on: the file, and what of it is not settled.
struct JournalDesk: ~Copyable {
    /// Beyond that the file is made anew if most of it is settled.
    private static let roomyLength = 1 << 20
    private static let crowdedShare = 4

    private var file: JournalFile
    private let seal: RecordSeal
    /// The entries that are not settled, as they stand in the file.
    private var unsettled: [UserID: FramedEntry] = [:]
    private var lastNumber: UInt64 = 0
    /// The name by which the file is to be kept, before another takes its place; nil if it need not be.
    private var nameToKeepAs: String?
    /// Whether the file says something that is not true any more.
    private var isStale = false
    /// Why the file must not be touched; nil if it may be. Before ``recover(at:)`` nobody knows what is in it.
    private var reasonItIsOff: JournalFailure?

    private struct FramedEntry {
        let number: UInt64
        let bytes: [UInt8]
    }

    /// Takes the file; nothing is done yet.
    init(_ file: consuming JournalFile, _ seal: RecordSeal) {
        reasonItIsOff = JournalFailure("\(file.path): has not been read yet")
        self.file = file
        self.seal = seal
    }

    /// Lets go of the file for good.
    mutating func close() {
        reasonItIsOff = JournalFailure("\(file.path): is closed")
        file.letGo()
        file.leaveLock()
    }

    /// How many accounts have an entry.
    var count: Int { unsettled.count }

    // MARK: - The start

    /// Reads what the process before left open.
    mutating func recover(at now: Moment) throws(JournalFailure) -> RecoveredJournal {
        do throws(JournalFailure) {
            reasonItIsOff = nil
            return try readFile(at: now)
        } catch {
            reasonItIsOff = error
            throw error
        }
    }

    private mutating func readFile(at now: Moment) throws(JournalFailure) -> RecoveredJournal {
        // A folder in which no lock can be made, since it is full or read-only, may hold entries all the same.
        if file.takeLock() == .takenElsewhere { throw Self.heldElsewhere(file.lockPath) }
        guard let bytes = try file.read() else { return RecoveredJournal() }
        let scan = JournalScan(bytes, seal, at: now)
        lastNumber = scan.lastNumber
        unsettled = scan.open.mapValues { FramedEntry(number: $0.number, bytes: $0.bytes) }
        // What cannot be tidied up now is when something is to be written, or else that fails.
        let putAside = try? tidy(scan, at: now)
        let entries = scan.entries.compactMap { found in
            if case .entry(let entry) = found.record { entry } else { nil }
        }
        let damage = scan.damage.map {
            "\(file.path): \($0); \(putAside.map { "kept as \($0), to be removed by hand" } ?? "left as it is until it can be kept")"
        }
        return RecoveredJournal(entries: entries, damage: damage)
    }

    private static func heldElsewhere(_ path: String) -> JournalFailure {
        JournalFailure("\(path): another process holds it; end that one, or give this daemon a journal.path of its own")
    }

    /// Keeps what is damaged for a person, and goes on in a file that is not.
    private mutating func tidy(_ scan: JournalScan, at now: Moment) throws(JournalFailure) -> String? {
        guard scan.damage != nil else {
            if scan.soundLength >= JournalForm.header.count { try file.resume(at: scan.soundLength) }
            return nil
        }
        let name = "\(ReplyJournal.fileName).damaged-\(now.wall.seconds)"
        nameToKeepAs = name
        try makeAnew()
        return name
    }

    // MARK: - Records

    /// Writes records behind what there is, and takes them for the state of things if that went well.
    ///
    /// - Parameters:
    ///   - records: what is written; settled ones are settled here in any case.
    ///   - isDurable: whether somebody waits until they outlive a loss of power.
    /// - Throws: why they are not written, or not durable.
    mutating func write(_ records: [JournalRecord], isDurable: Bool) throws(JournalFailure) {
        for record in records where !record.isEntry { unsettled[record.user] = nil }
        do throws(JournalFailure) {
            try put(records, isDurable: isDurable)
        } catch {
            // The file may have entries that are settled: the next time it is made anew from those that are not.
            isStale = true
            throw error
        }
    }

    private mutating func put(_ records: [JournalRecord], isDurable: Bool) throws(JournalFailure) {
        if let reasonItIsOff { throw reasonItIsOff }
        if !file.isOpen || isStale { try makeAnew() }
        var framed: [(user: UserID, entry: FramedEntry?)] = []
        var bytes: [UInt8] = []
        for record in records {
            let next = try frame(record)
            bytes += next.bytes
            framed.append((record.user, record.isEntry ? next : nil))
        }
        try file.append(bytes, isDurable: isDurable)
        for (user, entry) in framed { unsettled[user] = entry }
        makeRoom()
    }

    private mutating func frame(_ record: JournalRecord) throws(JournalFailure) -> FramedEntry {
        lastNumber += 1
        var clear = record.bytes
        guard let sealed = seal.seal(&clear, JournalForm.place(lastNumber)), sealed.count <= JournalForm.longestSealed
        else {
            throw JournalFailure("\(file.path): an entry could not be sealed")
        }
        return FramedEntry(number: lastNumber, bytes: JournalForm.framed(sealed, number: lastNumber))
    }

    private mutating func makeRoom() {
        guard file.length > Self.roomyLength else { return }
        let needed = unsettled.values.reduce(0) { $0 + $1.bytes.count }
        // What was written stands, whether room can be made or not.
        if needed < file.length / Self.crowdedShare { try? makeAnew() }
    }

    /// Puts a file in place that holds what is not settled and nothing else.
    private mutating func makeAnew() throws(JournalFailure) {
        switch file.takeLock() {
        case .taken: break
        case .takenElsewhere: throw Self.heldElsewhere(file.lockPath)
        case .impossible(let reason): throw JournalFailure("\(file.lockPath): \(reason)")
        }
        // Nothing takes the place of what nobody has seen.
        if let name = nameToKeepAs { try file.putAside(as: name) }
        nameToKeepAs = nil
        let entries = unsettled.values.sorted { $0.number < $1.number }
        try file.replace(with: entries.reduce(into: JournalForm.header) { $0 += $1.bytes })
        isStale = false
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Glibc
import Synchronization
package import TokenCore

/// Which account each thread has in hand, in a file that outlives the process, and who is left alone because processes died with it.
///
/// To take an account and to put it down is a few words of memory each. A lock is taken only while somebody is under suspicion.
package final class HandLedger: AccountsInHand {
    /// The name of the file.
    package static let fileName = "accounts-in-hand"

    /// What was found at the start, for the log.
    package struct Findings: Sendable {
        /// An account that was in hand when processes died.
        package struct Suspect: Sendable {
            /// Whose account.
            package let user: UserID
            /// In how many deaths it was in hand.
            package let deaths: Int
            /// What was going on at the last of them, to be continued after "while".
            package let step: String
        }

        /// Those whose row is left alone.
        package let quarantined: [Suspect]
        /// Those that were in hand at the last death, and may be for other reasons.
        package let suspected: [Suspect]
        /// What was wrong with the file, which was begun anew; nil if nothing was.
        package let damage: String?
    }

    /// What was found at the start.
    package let findings: Findings

    private let file: HandFile
    private let key: pthread_key_t
    private let suspects: Mutex<SuspectList>
    /// For whom the lock is worth taking (``SuspectMask``); zero while nobody is under suspicion.
    private let mask: Atomic<UInt64>
    private let isClosed = Atomic<Bool>(false)

    /// What a thread keeps that came when all slots were taken: it goes without.
    private static var none: UnsafeMutableRawPointer? { UnsafeMutableRawPointer(bitPattern: 1) }

    /// Takes the file in that folder, or makes it, and counts what the process before had in hand if that was cut off.
    ///
    /// - Throws: why there can be none; then a daemon goes on without.
    package init(in folder: String) throws(HandFailure) {
        file = try HandFile(in: folder, named: Self.fileName)
        var key = pthread_key_t()
        let code = pthread_key_create(&key) { HandLedger.leave($0) }
        guard code == 0 else {
            throw HandFailure(description: "no place for what a thread has in hand: \(String(cString: strerror(code)))")
        }
        self.key = key
        let scan = HandScan(file.found)
        var list = SuspectList(scan?.suspects ?? HandScan.suspects.map { _ in nil })
        if let scan, scan.isCutOff { list.died(holding: scan.held) } else { list.endedInOrder() }
        let damage = scan == nil ? "\(file.path) is not what this version of the daemon makes" : nil
        findings = Findings(list, held: scan?.held ?? [], damage: file.damage ?? damage)
        suspects = Mutex(list)
        mask = Atomic(SuspectMask(list).bits)
        begin(list, isWorthKeeping: scan?.held.isEmpty == false)
    }

    deinit {
        pthread_key_delete(key)
    }

    /// The end is in order: what is in hand from here on says nothing.
    package func close() {
        isClosed.store(true, ordering: .releasing)
        file.words[HandScan.life].store(0, ordering: .releasing)
        file.letGo()
    }

    /// Writes down that the calling thread begins to handle something of an account.
    package func take(_ user: UserID, _ version: Int64, _ step: HandlingStep) -> Bool {
        guard let slot, slot.isEmpty, !isClosed.load(ordering: .relaxed) else { return false }
        return slot.fill(user, version, step)
    }

    /// The calling thread came to the end of it.
    package func putDown() {
        guard let slot else { return }
        let mask = SuspectMask(bits: mask.load(ordering: .relaxed))
        if mask.mayHold(slot.firstWord), let record = slot.record { cameThrough(record) }
        slot.clear()
    }

    /// Why an account is to be left alone.
    package func reasonToLeave(_ user: UserID, _ version: Int64) -> String? {
        let mask = SuspectMask(bits: mask.load(ordering: .relaxed))
        guard !mask.isEmpty, mask.mayHold(HandSlot.firstWord(of: user)) else { return nil }
        return suspects.withLock { list in
            if let place = list.met(user, version) { erase(place, list) }
            guard let record = list[user], record.isQuarantined else { return nil }
            return
                "The daemon died \(record.deaths) times while \(record.step.words), so that it is left alone: put another "
                + "refresh token into the row, or stop the daemon, remove \(file.path) and start it again."
        }
    }
}

extension HandLedger {
    /// The calling thread's slot; nil if it has none.
    private var slot: HandSlot? {
        guard let known = pthread_getspecific(key) else { return newSlot() }
        return known == Self.none ? nil : HandSlot(kept: known)
    }

    private func newSlot() -> HandSlot? {
        let free = HandScan.slots.lazy.map { self.slot(at: $0) }.first { $0.takePossession() }
        guard pthread_setspecific(key, free?.address ?? Self.none) == 0 else {
            free?.leave()
            return nil
        }
        return free
    }

    private func slot(at place: Int) -> HandSlot {
        HandSlot(file.words + HandScan.place(place).lowerBound)
    }

    /// A thread ends.
    private static func leave(_ kept: UnsafeMutableRawPointer?) {
        if let kept, kept != none { HandSlot(kept: kept).leave() }
    }

    private func cameThrough(_ record: HandRecord) {
        suspects.withLock { list in
            if let place = list.cameThrough(record.step, record.user, record.version) { erase(place, list) }
        }
    }

    private func erase(_ place: Int, _ list: SuspectList) {
        write(nil, at: HandScan.suspects.lowerBound + place)
        mask.store(SuspectMask(list).bits, ordering: .relaxed)
    }

    /// Writes down how things stand at the start of this process.
    private func begin(_ list: SuspectList, isWorthKeeping: Bool) {
        // Whatever happens between these lines, nothing is counted twice.
        file.words[HandScan.life].store(0, ordering: .releasing)
        for place in HandScan.slots { write(nil, at: place) }
        for (place, record) in list.places.enumerated() { write(record, at: HandScan.suspects.lowerBound + place) }
        file.words[0].store(HandScan.form, ordering: .releasing)
        file.words[HandScan.life].store(1, ordering: .releasing)
        if isWorthKeeping { file.keep() }
    }

    private func write(_ record: HandRecord?, at place: Int) {
        let base = HandScan.place(place).lowerBound
        let words = record?.words ?? [UInt64](repeating: 0, count: HandRecord.wordCount)
        // The mark last, and the old one away before anything else.
        file.words[base].store(0, ordering: .releasing)
        for (offset, word) in words.enumerated().dropFirst() {
            file.words[base + offset].store(word, ordering: .relaxed)
        }
        file.words[base].store(words[HandRecord.mark], ordering: .releasing)
    }
}

extension HandLedger.Findings {
    /// Says who is left alone, and who of those that were in hand is not.
    fileprivate init(_ list: SuspectList, held: [HandRecord], damage: String?) {
        self.damage = damage
        quarantined = list.quarantined.map(Suspect.init)
        suspected = Set(held.map(\.user)).compactMap { list[$0] }.filter { !$0.isQuarantined }.map(Suspect.init)
    }
}

extension HandLedger.Findings.Suspect {
    fileprivate init(_ record: HandRecord) {
        self.init(user: record.user, deaths: record.deaths, step: record.step.words)
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Glibc
import Synchronization
import TokenCore

/// One thread's place in the file of accounts in hand.
///
/// All words are atomic, not for other threads' sake, of which none looks at them, but for the compiler's: it must leave out none of
/// them, although nothing in this process reads them before a trap.
struct HandSlot {
    private let words: UnsafeMutablePointer<Atomic<UInt64>>

    /// The slot that begins there.
    init(_ words: UnsafeMutablePointer<Atomic<UInt64>>) {
        self.words = words
    }

    /// The slot that begins at the address that a thread keeps.
    init(kept address: UnsafeMutableRawPointer) {
        words = address.assumingMemoryBound(to: Atomic<UInt64>.self)
    }

    /// What a thread keeps of it.
    var address: UnsafeMutableRawPointer { UnsafeMutableRawPointer(words) }

    /// Whether nothing is in hand.
    var isEmpty: Bool { words[HandRecord.mark].load(ordering: .relaxed) == 0 }

    /// Takes it for a thread, unless another one has it.
    func takePossession() -> Bool {
        words[HandRecord.owner].compareExchange(expected: 0, desired: 1, ordering: .acquiringAndReleasing).exchanged
    }

    /// Leaves it to other threads.
    func leave() {
        clear()
        words[HandRecord.owner].store(0, ordering: .releasing)
    }

    /// Writes an account down.
    ///
    /// - Returns: whether there was room for its id.
    func fill(_ user: UserID, _ version: Int64, _ step: HandlingStep) -> Bool {
        var text = user.text
        return text.withUTF8 { bytes in
            guard bytes.count <= HandRecord.longestText else { return false }
            words[HandRecord.version].store(UInt64(bitPattern: version), ordering: .relaxed)
            var place = HandRecord.text
            // Of an empty id too, the one before must not be left there.
            if bytes.isEmpty { words[place].store(0, ordering: .relaxed) }
            for start in stride(from: 0, to: bytes.count, by: 8) {
                words[place].store(Self.word(of: bytes, from: start), ordering: .relaxed)
                place += 1
            }
            words[HandRecord.mark].store(HandRecord.mark(length: bytes.count, step), ordering: .releasing)
            return true
        }
    }

    private static func word(of bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> UInt64 {
        var word: UInt64 = 0
        guard let base = bytes.baseAddress, start < bytes.count else { return word }
        memcpy(&word, base + start, min(8, bytes.count - start))
        return word
    }

    /// The beginning of the id that is written down.
    var firstWord: UInt64 { words[HandRecord.text].load(ordering: .relaxed) }

    /// The beginning of an id, as it is written down.
    static func firstWord(of user: UserID) -> UInt64 {
        var text = user.text
        return text.withUTF8 { word(of: $0, from: 0) }
    }

    /// Nothing is in hand any more.
    func clear() {
        words[HandRecord.mark].store(0, ordering: .releasing)
    }

    /// What is in hand; nil if nothing is.
    var record: HandRecord? {
        let found = (0..<HandRecord.wordCount).map { words[$0].load(ordering: .relaxed) }
        return HandRecord(found[...])
    }
}

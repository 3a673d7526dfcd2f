// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// An account that a thread has in hand, or that was in hand when a process died.
struct HandRecord: Hashable, Sendable {
    /// Whose account.
    let user: UserID
    /// The version of its refresh token; zero where there is none.
    let version: Int64
    /// What was done with it, at the last death if there were several.
    var step: HandlingStep
    /// In how many deaths it was in hand; zero of one that is.
    var deaths = 0
}

/// How a record lies in the file: sixteen words in the byte order of this host, which no other reads. The first word is written last
/// and cleared first, so that a process may die between any two.
///
///     word 0    length of the id + 1 (16 bits), step (16), deaths (16), nothing (16); all zero: no record
///     word 1    of a thread's slot: whether a thread has it
///     word 2    version
///     word 3…   the id's bytes
extension HandRecord {
    /// How many words a record has.
    static let wordCount = 16
    /// Where the mark stands.
    static let mark = 0
    /// Where it stands whether a thread has the slot.
    static let owner = 1
    /// Where the version stands.
    static let version = 2
    /// Where the id's bytes begin.
    static let text = 3
    /// The longest id that there is room for, in bytes. A longer one is not written down.
    static let longestText = (wordCount - text) * 8
    /// More deaths are not counted.
    static let mostDeaths = Int(UInt16.max)

    /// The first word.
    static func mark(length: Int, _ step: HandlingStep, deaths: Int = 0) -> UInt64 {
        UInt64(length + 1) | UInt64(step.rawValue) << 16 | UInt64(min(deaths, mostDeaths)) << 32
    }

    /// Reads a record; nil if there is none, or what is there is none.
    init?(_ words: ArraySlice<UInt64>) {
        guard words.count == Self.wordCount else { return nil }
        let base = words.startIndex
        let mark = words[base + Self.mark]
        let length = Int(mark & 0xFFFF) - 1
        guard length >= 0, length <= Self.longestText, mark >> 48 == 0 else { return nil }
        let bytes = words[(base + Self.text)...].flatMap { word in
            withUnsafeBytes(of: word) { Array($0) }
        }
        guard let text = String(validating: bytes.prefix(length), as: UTF8.self) else { return nil }
        user = UserID(text)
        version = Int64(bitPattern: words[base + Self.version])
        step = HandlingStep(rawValue: UInt16(truncatingIfNeeded: mark >> 16))
        deaths = Int(mark >> 32 & 0xFFFF)
    }

    /// The words of a record; nil if there is no room for its id.
    var words: [UInt64]? {
        let text = Array(user.text.utf8)
        guard text.count <= Self.longestText else { return nil }
        var words = [UInt64](repeating: 0, count: Self.wordCount)
        words[Self.mark] = Self.mark(length: text.count, step, deaths: deaths)
        words[Self.version] = UInt64(bitPattern: version)
        words.withUnsafeMutableBytes { room in
            room[(Self.text * 8)...].copyBytes(from: text)
        }
        return words
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// What the file of accounts in hand holds: pure, whatever is in it.
///
/// A place for each record: the first is the header's, then come the threads' slots, then the suspects.
struct HandScan: Sendable {
    /// The threads' places.
    static let slots = 1..<64
    /// The suspects' places.
    static let suspects = 64..<128
    /// How many words there are.
    static let wordCount = suspects.upperBound * HandRecord.wordCount
    /// What the first word of the header is: the form of the file, which another version of it would change.
    static let form = UInt64(littleEndian: 0x3164_6e61_6864_7474)
    /// Where in the header it stands whether a process is at work.
    static let life = 1

    /// Whether the process before came to no orderly end.
    let isCutOff: Bool
    /// What the process before had in hand when it was cut off.
    let held: [HandRecord]
    /// Who was in hand in deaths before, in their places.
    let suspects: [HandRecord?]

    /// Reads a file's words; nil if they are of another form. A file that was only just made holds zeros.
    init?(_ words: [UInt64]) {
        let isNew = words.allSatisfy { $0 == 0 }
        guard words.count == Self.wordCount, isNew || words[0] == Self.form else { return nil }
        isCutOff = words[Self.life] != 0
        held = isCutOff ? Self.slots.compactMap { HandRecord(words[Self.place($0)]) } : []
        suspects = Self.suspects.map { place in
            HandRecord(words[Self.place(place)]).flatMap { $0.deaths > 0 ? $0 : nil }
        }
    }

    /// Where the words of a place are.
    static func place(_ number: Int) -> Range<Int> {
        number * HandRecord.wordCount..<(number + 1) * HandRecord.wordCount
    }
}

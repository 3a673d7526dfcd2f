// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import Testing
import TokenCore

@testable import ReplyJournal

struct HandRecordTests {
    @Test(arguments: [
        "", "1", "12345678", "123456789", "ü 🗝", "0b1d6d3e-7f3c-4c0c-9d1a-7d6b1c9d2f00",
        String(repeating: "x", count: HandRecord.longestText),
    ])
    func whatIsWrittenIsRead(_ id: String) throws {
        for (version, deaths) in [(Int64.min, 0), (-1, 1), (0, 3), (.max, HandRecord.mostDeaths)] {
            let record = HandRecord(user: UserID(id), version: version, step: .input(77), deaths: deaths)
            let words = try #require(record.words)
            #expect(words.count == HandRecord.wordCount)
            #expect(HandRecord(words[...]) == record)
        }
    }

    @Test func anIdThatIsTooLongIsNotWritten() {
        let id = String(repeating: "x", count: HandRecord.longestText + 1)
        #expect(HandRecord(user: UserID(id), version: 1, step: .loading).words == nil)
    }

    @Test func noBytesAreMistakenForWhatTheyAreNot() throws {
        let words = try #require(HandRecord(user: UserID("1"), version: 1, step: .loading).words)
        #expect(HandRecord(words.dropLast()) == nil)
        func changed(_ change: (inout [UInt64]) -> Void) -> HandRecord? {
            var words = words
            change(&words)
            return HandRecord(words[...])
        }
        #expect(changed { $0[HandRecord.mark] = 0 } == nil)
        #expect(
            changed { $0[HandRecord.mark] = UInt64(HandRecord.longestText + 2) } == nil,
            "longer than there is room for"
        )
        #expect(changed { $0[HandRecord.mark] |= 1 << 60 } == nil)
        #expect(changed { $0[HandRecord.text] = 0xFF } == nil, "no UTF-8")
        // Whatever is in it, reading it ends.
        var generator = SeededGenerator(seed: 29)
        for _ in 0..<2_000 {
            let noise = (0..<HandRecord.wordCount).map { _ in UInt64.random(in: .min ... .max, using: &generator) }
            _ = HandRecord(noise[...])
        }
    }

    @Test func aFileOfAnotherFormIsNotRead() throws {
        let empty = [UInt64](repeating: 0, count: HandScan.wordCount)
        let new = try #require(HandScan(empty))
        #expect(!new.isCutOff && new.held.isEmpty && new.suspects.allSatisfy { $0 == nil })
        #expect(HandScan(empty.dropLast()) == nil)
        var words = empty
        words[0] = HandScan.form + 1
        #expect(HandScan(words) == nil)
        words[0] = HandScan.form
        #expect(HandScan(words) != nil)
        words[0] = 0
        words[700] = 1
        #expect(HandScan(words) == nil, "what has no header is none")
    }

    @Test func stepsAreTheSameToEveryProcess() {
        let named: [HandlingStep] = [
            .loading, .reading, .claiming, .keeping, .answering, .writing, .salvaging, .beginning, .rendering,
        ]
        #expect(named.map(\.rawValue) == Array(1...9))
        #expect(HandlingStep.input(97) != .input(98))
        let steps = named + [.input(0), .input(97), HandlingStep(rawValue: 0), HandlingStep(rawValue: 500)]
        #expect(steps.allSatisfy { !$0.words.isEmpty })
    }
}

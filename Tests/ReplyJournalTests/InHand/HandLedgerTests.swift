// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import TestSupport
import Testing
import TokenCore

@testable import ReplyJournal

/// A ledger that is let go without ``HandLedger/close()`` leaves what a process leaves that a trap ended.
final class HandLedgerTests {
    private let folder: String
    private var path: String { "\(folder)/\(HandLedger.fileName)" }

    init() throws {
        folder = try makeTemporaryFolder(for: "hands")
    }

    deinit {
        try? FileManager.default.removeItem(atPath: folder)
    }

    private let (first, second) = (UserID("1"), UserID("0b1d6d3e-7f3c-4c0c-9d1a-7d6b1c9d2f00"))

    /// A process that dies with that in hand.
    private func die(with user: UserID, version: Int64 = 7, _ step: HandlingStep = .claiming) throws {
        let ledger = try HandLedger(in: folder)
        ledger.holding(user, version, .loading) {}
        #expect(ledger.take(user, version, step))
    }

    private func findings() throws -> HandLedger.Findings { try HandLedger(in: folder).findings }

    @Test func whatAProcessDiedWithTheNextOneIsTold() throws {
        try die(with: second)
        let found = try findings()
        #expect(found.suspected.map(\.user) == [second])
        #expect(found.suspected.first?.deaths == 1)
        #expect(found.suspected.first?.step == HandlingStep.claiming.words)
        #expect(found.quarantined.isEmpty && found.damage == nil)
        #expect(try findings().suspected.isEmpty, "it is counted once")
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
    }

    @Test func whatCameToItsEndIsNotInHand() throws {
        do {
            let ledger = try HandLedger(in: folder)
            ledger.holding(first, 7, .loading) {}
            #expect(throws: CancellationError.self) {
                try ledger.holding(first, 7, .loading) { throw CancellationError() }
            }
        }
        #expect(try findings().suspected.isEmpty)
    }

    @Test func afterThreeDeathsAnAccountIsLeftAlone() throws {
        for _ in 1...2 {
            try die(with: first)
            #expect(try HandLedger(in: folder).reasonToLeave(first, 7) == nil)
        }
        try die(with: first)
        let ledger = try HandLedger(in: folder)
        #expect(ledger.findings.quarantined.map(\.user) == [first])
        let reason = try #require(ledger.reasonToLeave(first, 7))
        #expect(reason.contains("died 3 times while its row was read for a refresh") && reason.contains(path))
        #expect(ledger.reasonToLeave(second, 7) == nil)
        ledger.close()
        #expect(try HandLedger(in: folder).reasonToLeave(first, 7) != nil, "an orderly end changes nothing about it")
    }

    @Test func anotherRefreshTokenMendsIt() throws {
        for _ in 1...3 { try die(with: first) }
        do {
            let ledger = try HandLedger(in: folder)
            #expect(ledger.reasonToLeave(first, 8) == nil)
            #expect(ledger.reasonToLeave(first, 7) == nil, "and what was held against the former is gone")
        }
        #expect(try findings().quarantined.isEmpty)
    }

    @Test func whoIsHandledToTheEndAgainIsAboveSuspicion() throws {
        for _ in 1...2 { try die(with: first) }
        do {
            let ledger = try HandLedger(in: folder)
            ledger.holding(first, 7, .claiming) {}
        }
        for _ in 1...2 { try die(with: first) }
        #expect(try findings().quarantined.isEmpty)
        try die(with: first)
        #expect(try findings().quarantined.map(\.user) == [first])
    }

    @Test func anOrderlyEndSaysNothingAboutWhatIsInHand() throws {
        do {
            let ledger = try HandLedger(in: folder)
            #expect(ledger.take(first, 7, .loading))
            ledger.close()
            #expect(!ledger.take(second, 7, .loading))
            ledger.putDown()
        }
        #expect(try findings().suspected.isEmpty)
    }

    @Test func theOuterOfTwoIsWrittenDown() throws {
        do {
            let ledger = try HandLedger(in: folder)
            #expect(ledger.take(first, 7, .loading))
            ledger.holding(second, 7, .loading) {}
            ledger.holding(second, 7, .loading) {}
        }
        #expect(try findings().suspected.map(\.user) == [first])
    }

    @Test func anIdThatIsTooLongGoesWithout() throws {
        let ledger = try HandLedger(in: folder)
        #expect(!ledger.take(UserID(String(repeating: "x", count: 300)), 7, .loading))
        #expect(ledger.take(first, 7, .loading))
        ledger.putDown()
    }

    @Test func eachThreadHasItsOwnAndGivesItBack() throws {
        do {
            let ledger = try HandLedger(in: folder)
            // More than there are slots, one after the other.
            for number in 0..<200 {
                onThreadToItsEnd {
                    #expect(ledger.take(UserID("\(number)"), 1, .loading))
                    ledger.putDown()
                }
            }
        }
        #expect(try findings().suspected.isEmpty)
    }

    @Test func manyThreadsAtOnceNeitherMixNorLeaveAnything() throws {
        do {
            let ledger = try HandLedger(in: folder)
            DispatchQueue.concurrentPerform(iterations: 16) { number in
                let user = UserID("user \(number)")
                for _ in 0..<2_000 { ledger.holding(user, Int64(number), .loading) {} }
            }
            #expect(ledger.take(first, 7, .loading))
        }
        #expect(try findings().suspected.map(\.user) == [first])
    }

    @Test func aSecondProcessGoesWithout() throws {
        let ledger = try HandLedger(in: folder)
        let failure = #expect(throws: HandFailure.self) { _ = try HandLedger(in: folder) }
        #expect(failure?.description.contains("another process holds it") == true)
        ledger.close()
        _ = try HandLedger(in: folder)
    }

    @Test(arguments: [1, 4096, 16_384, 16_385, 100_000])
    func whatIsNotOfThisFormIsBegunAnew(_ length: Int) throws {
        try Data(repeating: 0x55, count: length).write(to: URL(fileURLWithPath: path))
        chmod(path, 0o600)
        #expect(try findings().damage?.contains(path) == true)
        #expect(try findings().damage == nil)
        try die(with: first)
        #expect(try findings().suspected.map(\.user) == [first])
    }

    @Test func damagedRecordsCostThemselves() throws {
        for _ in 1...3 { try die(with: first) }
        _ = try findings()
        var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        // All places but the header's and that of the first suspect.
        let kept = HandScan.place(HandScan.suspects.lowerBound)
        for index in HandRecord.wordCount * 8..<bytes.count
        where !(kept.lowerBound * 8..<kept.upperBound * 8).contains(index) {
            bytes[index] = UInt8(truncatingIfNeeded: index &* 31)
        }
        try bytes.write(to: URL(fileURLWithPath: path))
        chmod(path, 0o600)
        #expect(try findings().quarantined.map(\.user) == [first])
    }

    @Test func whatCannotBeUsedIsSaid() throws {
        func reason() -> String? {
            do throws(HandFailure) {
                _ = try HandLedger(in: folder)
                return nil
            } catch {
                return error.description
            }
        }
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        #expect(reason()?.contains(path) == true)
        try FileManager.default.removeItem(atPath: path)
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "/dev/null")
        #expect(reason()?.contains(path) == true)
        try FileManager.default.removeItem(atPath: path)
        #expect(mkfifo(path, 0o600) == 0)
        #expect(reason()?.contains("no regular file") == true)
        try FileManager.default.removeItem(atPath: path)
        _ = try findings()
        chmod(path, 0o622)
        #expect(reason()?.contains("chmod 600") == true)
        chmod(path, 0o600)
        #expect(reason() == nil)
        #expect(throws: HandFailure.self) { _ = try HandLedger(in: "\(folder)/nowhere") }
    }

    @Test func somebodyElsesFileIsLeftAsItIs() throws {
        guard geteuid() == 0 else { return }
        try Data([1, 2, 3]).write(to: URL(fileURLWithPath: path))
        #expect(chown(path, 12_345, 12_345) == 0)
        let failure = #expect(throws: HandFailure.self) { _ = try HandLedger(in: folder) }
        #expect(failure?.description.contains("belongs to user 12345") == true)
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data([1, 2, 3]))
    }
}

/// Runs something on a thread of its own, and returns when the thread is gone, with all that it kept.
private func onThreadToItsEnd(_ body: @escaping @Sendable () -> Void) {
    final class Work: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    var thread = pthread_t()
    let work = Unmanaged.passRetained(Work(body)).toOpaque()
    let code = pthread_create(
        &thread,
        nil,
        { work in
            if let work { Unmanaged<Work>.fromOpaque(work).takeRetainedValue().body() }
            return nil
        },
        work
    )
    #expect(code == 0)
    pthread_join(thread, nil)
}

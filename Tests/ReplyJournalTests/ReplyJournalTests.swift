// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import TestSupport
import Testing
import TokenCipher
import TokenCore

@testable import ReplyJournal

/// H3 on the disk: what was appended is there for the next process, whatever became of this one.
@Suite(.timeLimit(.minutes(1))) struct ReplyJournalTests {
    private let place: StateFolder
    private let now = Moment.newYear

    init() throws {
        place = try StateFolder()
    }

    private var folder: String { place.path }
    private var path: String { "\(folder)/reply-journal" }
    private var files: [String] { (try? FileManager.default.contentsOfDirectory(atPath: folder))?.sorted() ?? [] }

    private func bytes() throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: path))) }

    private func put(_ bytes: [UInt8]) throws { try Data(bytes).write(to: URL(fileURLWithPath: path)) }

    private func seal(_ byte: UInt8 = 1) -> RecordSeal {
        let key = LockedBytes(count: 32) { room in for index in room.indices { room[index] = byte } }
        return RecordSeal(LocalSeal(key, purpose: "reply-journal"))
    }

    private func journal(_ byte: UInt8 = 1) -> ReplyJournal { ReplyJournal(in: folder, seal(byte)) }

    private func intent(_ user: String, _ version: Int64 = 7, after last: WallTime? = nil) -> JournalEntry {
        JournalEntry(user: UserID(user), usedVersion: version, .intent(lastRefreshedAt: last))
    }

    private func answer(_ user: String, _ token: String = "access-1", rotated: String? = "refresh-2") -> JournalEntry {
        let answer = TokenAnswer(
            accessToken: Secret(token),
            life: TokenLife(sentAt: now, lifetime: .seconds(900)),
            newRefreshToken: rotated.map { Secret($0) }
        )
        return JournalEntry(user: UserID(user), usedVersion: -3, .answer(answer))
    }

    private func salvage(_ user: String) -> JournalEntry {
        JournalEntry(user: UserID(user), usedVersion: .max, .salvage(Secret("refresh-3")))
    }

    /// What the next process finds.
    private func found(_ byte: UInt8 = 1, at time: Moment? = nil) async throws -> RecoveredJournal {
        let journal = journal(byte)
        let found = try await journal.recover(at: time ?? now)
        await journal.close()
        return found
    }

    /// Has one process read the journal, do something with it and end.
    private func inOneProcess(_ byte: UInt8 = 1, _ body: (ReplyJournal) async throws -> Void) async throws {
        let journal = journal(byte)
        _ = try await journal.recover(at: now)
        try await body(journal)
        await journal.close()
    }

    @Test func whatWasAppendedIsFoundByTheNextProcess() async throws {
        let entries = [
            intent("1"), answer("ü 2"), salvage("3"), answer("4", rotated: nil), intent(""),
            intent("6", after: now.wall),
        ]
        try await inOneProcess { journal in
            try await journal.append(entries)
            #expect(journal.standing == JournalStanding(entries: 6, trouble: nil))
        }
        #expect(try await found() == RecoveredJournal(entries: entries))
        #expect(try await found() == RecoveredJournal(entries: entries), "reading changes nothing")
        let mode = try #require(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int)
        #expect(mode == 0o600)
    }

    @Test func theLatestEntryOfAnAccountCountsUntilItIsSettled() async throws {
        try await inOneProcess { journal in
            try await journal.append([intent("1"), intent("2")])
            try await journal.append([answer("1")])
            journal.settle([UserID("2")])
            // What comes after it is written after it.
            try await journal.append([intent("3")])
            #expect(journal.standing.entries == 2)
        }
        #expect(try await found().entries == [answer("1"), intent("3")])
    }

    /// What is written to a file that nobody finds is not durable, however often it is synced.
    @Test(arguments: ["removed", "moved away", "replaced"]) func aFileThatIsTakenAwayIsMadeAnew(
        how: String
    ) async throws {
        try await inOneProcess { journal in
            try await journal.append([intent("1"), answer("2")])
            switch how {
            case "removed": try FileManager.default.removeItem(atPath: path)
            case "moved away": try FileManager.default.moveItem(atPath: path, toPath: path + ".away")
            default: try Data("something else".utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
            }
            journal.settle([UserID("1")])
            try await journal.append([salvage("3")])
            #expect(journal.standing == JournalStanding(entries: 2, trouble: nil))
        }
        #expect(try await found().entries == [answer("2"), salvage("3")])
    }

    /// Its length alone says that it is none of ours; nothing of it is read into memory.
    @Test func aFileThatIsLargerThanAJournalCanBeIsRefusedAndLeftAlone() async throws {
        try put([])
        let size = UInt64(JournalForm.longestFile) + 1
        try FileHandle(forWritingTo: URL(fileURLWithPath: path)).truncate(atOffset: size)
        let failure = await #expect(throws: JournalFailure.self) { try await found() }
        #expect(failure?.description.contains("larger than a journal can be") == true)
        #expect(try FileManager.default.attributesOfItem(atPath: path)[.size] as? UInt64 == size)
    }

    @Test func anEntryIsGoneOnFromAfterARestart() async throws {
        try await inOneProcess { journal in
            try await journal.append([intent("1"), intent("2")])
        }
        try await inOneProcess { journal in
            journal.settle([UserID("1")])
            try await journal.append([salvage("2")])
        }
        #expect(try await found().entries == [salvage("2")])
    }

    @Test func aTokensLifeGoesOnByTheWallClockAndIsNoLongerThanItWas() async throws {
        try await inOneProcess { journal in
            try await journal.append([answer("1")])
        }
        func left(_ time: Moment) async throws -> Duration? {
            guard case .answer(let answer)? = try await found(at: time).entries.first?.content else { return nil }
            return answer.life.remaining(at: time)
        }
        let rebooted = Moment(wall: now.wall + .seconds(100), boot: BootTime(nanoseconds: 5))
        #expect(try await left(rebooted) == .seconds(800))
        let setBack = Moment(wall: now.wall + .seconds(-5000), boot: now.boot)
        #expect(try await left(setBack) == .seconds(900))
    }

    @Test func aFileThatEndsAnywhereGivesTheEntriesBeforeThat() async throws {
        try await inOneProcess { journal in
            for entry in [intent("1"), answer("2"), intent("3")] { try await journal.append([entry]) }
        }
        let whole = try bytes()
        var ends: [Int: Int] = [:]
        for length in 0...whole.count {
            for file in files { try FileManager.default.removeItem(atPath: "\(folder)/\(file)") }
            try put(Array(whole[..<length]))
            let found = try await found()
            ends[found.entries.count, default: 0] += found.damage == nil ? 1 : 0
            #expect(found.entries == Array([intent("1"), answer("2"), intent("3")].prefix(found.entries.count)))
            // It can be gone on with.
            try await inOneProcess { journal in
                try await journal.append([intent("9")])
            }
            #expect(try await self.found().entries == found.entries + [intent("9")])
        }
        #expect(ends[3] == 1 && ends[2] == 1 && ends[1] == 1, "an end that is no entry's is told")
    }

    @Test func aByteThatIsDamagedCostsItsOwnEntryOnly() async throws {
        let entries = [intent("1"), salvage("2"), intent("3")]
        try await inOneProcess { journal in
            for entry in entries { try await journal.append([entry]) }
        }
        let whole = try bytes()
        for index in JournalForm.header.count..<whole.count {
            for file in files { try FileManager.default.removeItem(atPath: "\(folder)/\(file)") }
            var damaged = whole
            damaged[index] ^= 0x21
            try put(damaged)
            let found = try await found()
            #expect(found.entries.count == 2 && found.entries.allSatisfy(entries.contains), "byte \(index)")
            #expect(found.damage?.contains("kept as reply-journal.damaged-1767225600, to be removed by hand") == true)
            #expect(try Array(Data(contentsOf: URL(fileURLWithPath: "\(path).damaged-1767225600"))) == damaged)
            #expect(try await self.found() == RecoveredJournal(entries: found.entries), "it is told once")
        }
    }

    @Test(arguments: [
        Array("something else\n".utf8), [UInt8](repeating: 0, count: 5000), Array("tastytokend reply journal 2\n".utf8),
    ])
    func aFileOfAnotherKindIsPutAside(bytes: [UInt8]) async throws {
        try put(bytes)
        let found = try await found()
        #expect(found.entries.isEmpty)
        #expect(
            found.damage
                == "\(path): does not begin as a reply journal of this version does; kept as reply-journal.damaged-1767225600, to be removed by hand"
        )
        #expect(files.contains("reply-journal.damaged-1767225600"))
    }

    @Test func whatAnotherKeySealedIsPutAside() async throws {
        try await inOneProcess(1) { journal in
            try await journal.append([answer("1")])
        }
        let found = try await found(2)
        #expect(found.entries.isEmpty)
        #expect(found.damage?.contains("were sealed by another local-key") == true)
        #expect(files.contains("reply-journal.damaged-1767225600"))
    }

    @Test func nothingInTheFileIsInClear() async throws {
        let journal = journal()
        _ = try await journal.recover(at: now)
        try await journal.append([answer("planted-user", "planted-access", rotated: "planted-refresh"), salvage("1")])
        let text = String(decoding: try bytes(), as: UTF8.self)
        for word in ["planted-user", "planted-access", "planted-refresh", "refresh-3"] { #expect(!text.contains(word)) }
    }

    @Test func aRecordFromBeforeDoesNotPassForALaterOne() async throws {
        try await inOneProcess { journal in
            try await journal.append([intent("1")])
            try await journal.append([answer("1")])
        }
        let whole = try bytes()
        // The first record once more, behind the second.
        let records = Array(whole[JournalForm.header.count...])
        let length = Int(JournalForm.number(records[0..<4])) + JournalForm.prefixLength
        try put(whole + records.prefix(length))
        let found = try await found()
        #expect(found.entries == [answer("1")])
        #expect(found.damage?.contains("\(length) bytes at its end") == true)
    }

    @Test func oneProcessAtATimeWritesIt() async throws {
        let first = journal()
        _ = try await first.recover(at: now)
        let second = journal()
        let words =
            "\(path).lock: another process holds it; end that one, or give this daemon a journal.path of its own"
        await #expect(throws: JournalFailure(words)) { try await second.recover(at: now) }
        await #expect(throws: JournalFailure.self) { try await second.append([intent("1")]) }
        #expect(second.standing.trouble == words)
        try await first.append([intent("1")])
        await first.close()
        await #expect(throws: JournalFailure("\(path): is closed")) { try await first.append([intent("2")]) }
        #expect(try await found().entries == [intent("1")])
    }

    @Test func aFolderThatIsNotThereIsToldAndUsedOnceItIs() async throws {
        try FileManager.default.removeItem(atPath: folder)
        let journal = journal()
        #expect(try await journal.recover(at: now) == RecoveredJournal())
        await #expect(throws: JournalFailure("\(path).lock: No such file or directory")) {
            try await journal.append([intent("1")])
        }
        #expect(journal.standing == JournalStanding(entries: 0, trouble: "\(path).lock: No such file or directory"))
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        try await journal.append([intent("2")])
        #expect(journal.standing == JournalStanding(entries: 1, trouble: nil))
    }

    @Test func aFileThatIsNoneIsNotTouched() async throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        await #expect(throws: JournalFailure("\(path): is no regular file; move it away")) {
            try await journal().recover(at: now)
        }
        try FileManager.default.removeItem(atPath: path)
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "/etc/passwd")
        await #expect(throws: JournalFailure("\(path): Too many levels of symbolic links")) {
            try await journal().recover(at: now)
        }
    }

    @Test func aKeyThatPassesWithTheProcessSealsNothing() async throws {
        let journal = ReplyJournal(in: folder, seal(), reasonItCannotLast: "local-key: no room")
        _ = try await journal.recover(at: now)
        await #expect(throws: JournalFailure("local-key: no room")) { try await journal.append([intent("1")]) }
    }

    @Test func whatIsSettledTakesNoRoomForLong() async throws {
        try await inOneProcess { journal in
            try await journal.append([answer("kept")])
            for round in 0..<60 {
                let users = (0..<200).map { "\(round)-\($0)" }
                try await journal.append(users.map { answer($0) })
                journal.settle(users.map { UserID($0) })
            }
            try await journal.append([intent("last")])
            #expect(try bytes().count < 2 << 20, "12,000 entries would take over 3 MB")
        }
        #expect(try await found().entries == [answer("kept"), intent("last")])
    }

    @Test func whoHasNothingToWriteMakesNoFile() async throws {
        try await inOneProcess { _ in }
        #expect(files == ["reply-journal.lock"])
    }

    @Test func manyAtOnceAreAllThere() async throws {
        try await inOneProcess { journal in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<500 {
                    group.addTask { try await journal.append([intent("\(number)", Int64(number))]) }
                }
                try await group.waitForAll()
            }
        }
        let found = try await found().entries
        #expect(Set(found) == Set((0..<500).map { intent("\($0)", Int64($0)) }))
    }
}

/// A folder that goes with the test.
private final class StateFolder: Sendable {
    let path: String

    init() throws {
        path = try makeTemporaryFolder(for: "journal")
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }
}

/// The wait of one caller.
@Suite(.timeLimit(.minutes(1))) struct JournalTicketTests {
    @Test func theFirstAnswerCounts() async {
        let answer = await withCheckedContinuation { continuation in
            let ticket = JournalTicket(continuation)
            ticket.resolve(.failure(JournalFailure("the disk")))
            ticket.resolve(.success(()))
        }
        #expect(throws: JournalFailure("the disk")) { try answer.get() }
    }
}

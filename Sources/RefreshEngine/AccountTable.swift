// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// One account as the engine holds it: whose it is and its machine.
struct Account: Sendable {
    /// Whose account.
    let user: UserID
    /// That of its OAuth client.
    let lane: LaneNumber
    /// The life of its grant.
    var machine: GrantStateMachine
}

/// All accounts, each in a slot that stays its own until it is removed.
struct AccountTable: Sendable {
    private struct Record: Sendable {
        var machine: GrantStateMachine
        /// Since when the account stands in line, in tenths of a second on the boot clock; the lowest bits of them, which tell
        /// spans of up to 109 minutes. In this place and size it fills a gap.
        var inLineSince: UInt16 = 0
        /// The number of the last pass over the rows in which the account's row was there.
        var seenInPass: UInt32

        mutating func change<Outcome>(_ body: (inout GrantStateMachine) -> Outcome) -> Outcome { body(&machine) }
    }

    /// Says who stands in which slot.
    private let board: TokenBoard
    private var records: [Record?] = []
    /// How many accounts there are.
    private(set) var count = 0
    private var seen = 0
    /// The number of the pass over the rows that goes on, or was the last.
    private(set) var pass: UInt32 = 0

    /// No accounts yet.
    init(slotsOf board: TokenBoard) {
        self.board = board
    }

    /// Where the account stands; nil if there is none of that user.
    func slot(of user: UserID) -> AccountSlot? { board.slot(of: user) }

    /// The account in the slot; nil once it was removed.
    subscript(slot: AccountSlot) -> Account? {
        guard let record = records[Int(slot.index)], let holder = board.holder(of: slot) else { return nil }
        return Account(user: holder.user, lane: holder.lane, machine: record.machine)
    }

    /// Every slot there ever was is below this number.
    var slotCount: Int { records.count }

    /// Changes the account's machine in place.
    ///
    /// - Returns: what `body` returned; nil if the account was removed.
    mutating func change<Outcome>(_ slot: AccountSlot, _ body: (inout GrantStateMachine) -> Outcome) -> Outcome? {
        records[Int(slot.index)]?.change(body)
    }

    /// Marks that the account stands in line since then.
    mutating func markInLine(_ slot: AccountSlot, since time: BootTime) {
        records[Int(slot.index)]?.inLineSince = Self.tenths(time)
    }

    /// How long the account has stood in line, to a tenth of a second; of one that stands in none it says nothing.
    func timeInLine(_ slot: AccountSlot, at now: BootTime) -> Duration {
        guard let since = records[Int(slot.index)]?.inLineSince else { return .zero }
        return .milliseconds(100 * Int(Self.tenths(now) &- since))
    }

    private static func tenths(_ time: BootTime) -> UInt16 {
        UInt16(truncatingIfNeeded: time.nanoseconds / 100_000_000)
    }

    /// Begins a pass over the rows: no account's row was there yet.
    mutating func beginPass() {
        pass &+= 1
        seen = 0
    }

    /// Marks that the account's row was there in this pass.
    mutating func markSeen(_ slot: AccountSlot) {
        guard let record = records[Int(slot.index)], record.seenInPass != pass else { return }
        records[Int(slot.index)]?.seenInPass = pass
        seen += 1
    }

    /// Puts an account in, whose row is there; its user must not have one yet.
    mutating func insert(_ account: Account) -> AccountSlot {
        let slot = board.admit(account.user, in: account.lane)
        let record = Record(machine: account.machine, seenInPass: pass)
        if Int(slot.index) == records.count { records.append(record) } else { records[Int(slot.index)] = record }
        count += 1
        seen += 1
        return slot
    }

    /// Takes an account out, off the board too, and gives its slot back.
    mutating func remove(_ slot: AccountSlot) {
        guard let record = records[Int(slot.index)], let user = board.user(in: slot) else { return }
        if record.seenInPass == pass { seen -= 1 }
        count -= 1
        records[Int(slot.index)] = nil
        board.remove(user)
    }

    /// The users whose rows were not there in this pass; looked for only if there are any.
    func unseen() -> [UserID] {
        guard seen < count else { return [] }
        return records.indices.compactMap { index in
            guard let record = records[index], record.seenInPass != pass else { return nil }
            return board.user(in: AccountSlot(Int32(index)))
        }
    }
}

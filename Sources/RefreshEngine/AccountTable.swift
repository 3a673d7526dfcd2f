// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// One account as the engine holds it: whose it is, its machine, and the last reconcile pass that saw its row.
struct Account: Sendable {
    /// Whose account.
    let user: UserID
    /// The life of its grant.
    var machine: GrantStateMachine
    /// The number of the last pass over the table in which its row was there.
    var seenInPass: UInt32

    fileprivate mutating func change<Outcome>(_ body: (inout GrantStateMachine) -> Outcome) -> Outcome {
        body(&machine)
    }
}

/// All accounts, each in a slot that stays its own until it is removed. Slots are reused.
struct AccountTable: Sendable {
    private var slots: [Account?] = []
    private var index: [UserID: AccountSlot] = [:]
    private var free: [AccountSlot] = []
    private var seen = 0
    /// The number of the pass over the rows that goes on, or was the last.
    private(set) var pass: UInt32 = 0

    /// How many accounts there are.
    var count: Int { index.count }

    /// Where the account stands; nil if there is none of that user.
    func slot(of user: UserID) -> AccountSlot? { index[user] }

    /// The account in the slot; nil once it was removed.
    subscript(slot: AccountSlot) -> Account? { slots[Int(slot.index)] }

    /// The next account in the order of slots, which the number counts; nil at the end.
    func account(after number: inout Int) -> Account? {
        while number < slots.count {
            defer { number += 1 }
            if let account = slots[number] { return account }
        }
        return nil
    }

    /// Changes the account's machine in place.
    ///
    /// - Returns: what `body` returned; nil if the account was removed.
    mutating func change<Outcome>(_ slot: AccountSlot, _ body: (inout GrantStateMachine) -> Outcome) -> Outcome? {
        slots[Int(slot.index)]?.change(body)
    }

    /// Begins a pass over the rows: no account's row was there yet.
    mutating func beginPass() {
        pass &+= 1
        seen = 0
    }

    /// Marks that the account's row was there in this pass.
    mutating func markSeen(_ slot: AccountSlot) {
        guard let account = slots[Int(slot.index)], account.seenInPass != pass else { return }
        slots[Int(slot.index)]?.seenInPass = pass
        seen += 1
    }

    /// Puts an account in; its user must not have one yet.
    mutating func insert(_ account: Account) -> AccountSlot {
        let slot: AccountSlot
        if let reused = free.popLast() {
            slot = reused
            slots[Int(slot.index)] = account
        } else {
            slot = AccountSlot(Int32(slots.count))
            slots.append(account)
        }
        index[account.user] = slot
        if account.seenInPass == pass { seen += 1 }
        return slot
    }

    /// Takes an account out and gives its slot back.
    mutating func remove(_ slot: AccountSlot) {
        guard let account = slots[Int(slot.index)] else { return }
        index[account.user] = nil
        if account.seenInPass == pass { seen -= 1 }
        slots[Int(slot.index)] = nil
        free.append(slot)
    }

    /// The users whose rows were not there in this pass; looked for only if there are any.
    func unseen() -> [UserID] {
        guard seen < count else { return [] }
        return slots.compactMap { account in
            guard let account, account.seenInPass != pass else { return nil }
            return account.user
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import HeapModule

/// Where an account stands in the engine's table; small, so that a million of them cost little.
package struct AccountSlot: Hashable, Sendable {
    /// The index of the account's row in the engine's table.
    package let index: Int32

    /// Names the row with that index.
    package init(_ index: Int32) {
        self.index = index
    }
}

/// What is due next, over all accounts (architecture.md, decisions 3 and 4): a heap in which an account stands once.
///
/// A deadline is reached as soon as either clock says so. The heap is ordered by what that means at the present offset
/// between the clocks; when the offset has moved (the wall clock was set), it is ordered anew at the next look.
/// Re-arming leaves the old entry behind, to be passed over when it surfaces; once more than half of the entries are
/// such, they are swept out, so memory stays proportional to the accounts armed.
package struct DueQueue: Sendable {
    private struct Entry: Comparable, Sendable {
        let deadline: Moment
        let order: Int64
        let slot: AccountSlot
        let stamp: UInt32

        static func < (left: Entry, right: Entry) -> Bool { left.order < right.order }
    }

    /// A step of the wall clock smaller than this does not disturb the order enough to matter.
    private static let toleratedStep: Int64 = 500_000_000
    private static let disarmed: UInt32 = 0

    private var heap = Heap<Entry>()
    /// The stamp of each slot's valid entry; ``disarmed`` where there is none.
    private var stamps: [UInt32] = []
    private var lastStamp: UInt32 = 0
    private var clockOffset: Int64
    /// How many accounts are armed.
    package private(set) var count = 0

    /// An empty queue; `now` tells the present offset between the clocks.
    package init(now: Moment) {
        self.clockOffset = Self.offset(now)
    }

    /// Arms the account for `deadline`, in place of whatever it was armed for.
    package mutating func arm(_ slot: AccountSlot, at deadline: Moment) {
        let index = Int(slot.index)
        if index >= stamps.count {
            stamps.append(contentsOf: repeatElement(Self.disarmed, count: index - stamps.count + 1))
        }
        if stamps[index] == Self.disarmed { count += 1 }
        let stamp = nextStamp()
        stamps[index] = stamp
        heap.insert(Entry(deadline: deadline, order: order(deadline), slot: slot, stamp: stamp))
        if heap.count > 2 * count + 64 { rebuild() }
    }

    /// Takes the account out, if it is in.
    package mutating func disarm(_ slot: AccountSlot) {
        guard contains(slot) else { return }
        stamps[Int(slot.index)] = Self.disarmed
        count -= 1
    }

    /// Whether the account is in.
    package func contains(_ slot: AccountSlot) -> Bool {
        let index = Int(slot.index)
        return index < stamps.count && stamps[index] != Self.disarmed
    }

    /// Takes out one account whose deadline is reached; nil when there is none (any more).
    package mutating func popDue(at now: Moment) -> AccountSlot? {
        follow(now)
        guard let head = head(), head.deadline.isReached(at: now) else { return nil }
        return take(head)
    }

    /// Takes out the account whose deadline comes first, reached or not; nil when the queue is empty.
    package mutating func popFirst(at now: Moment) -> AccountSlot? {
        follow(now)
        guard let head = head() else { return nil }
        return take(head)
    }

    /// The account whose deadline comes first, reached or not; it stays in. Nil when the queue is empty.
    package mutating func first(at now: Moment) -> AccountSlot? {
        follow(now)
        return head()?.slot
    }

    /// How long until the first deadline is reached, zero or less if it is; nil when the queue is empty.
    package mutating func untilNext(at now: Moment) -> Duration? {
        follow(now)
        return head()?.deadline.remaining(at: now)
    }

    private mutating func take(_ entry: Entry) -> AccountSlot {
        _ = heap.popMin()
        disarm(entry.slot)
        return entry.slot
    }

    /// The first entry that still counts; those that no longer do are dropped on the way.
    private mutating func head() -> Entry? {
        while let entry = heap.min {
            if stamps[Int(entry.slot.index)] == entry.stamp { return entry }
            _ = heap.popMin()
        }
        return nil
    }

    private mutating func follow(_ now: Moment) {
        let offset = Self.offset(now)
        guard abs(offset &- clockOffset) > Self.toleratedStep else { return }
        clockOffset = offset
        rebuild()
    }

    private mutating func rebuild() {
        heap = Heap(
            heap.unordered.compactMap { entry in
                guard stamps[Int(entry.slot.index)] == entry.stamp else { return nil }
                return Entry(
                    deadline: entry.deadline,
                    order: order(entry.deadline),
                    slot: entry.slot,
                    stamp: entry.stamp
                )
            }
        )
    }

    /// The deadline on the boot clock, as the clocks stand to each other now.
    private func order(_ deadline: Moment) -> Int64 {
        min(deadline.boot.nanoseconds, deadline.wall.nanoseconds &- clockOffset)
    }

    private mutating func nextStamp() -> UInt32 {
        lastStamp = lastStamp == .max ? 1 : lastStamp + 1
        return lastStamp
    }

    private static func offset(_ now: Moment) -> Int64 { now.wall.nanoseconds &- now.boot.nanoseconds }
}

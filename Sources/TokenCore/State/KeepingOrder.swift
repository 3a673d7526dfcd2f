// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import HeapModule

/// Accounts whose refresh tokens are not kept in memory, by when they are due: whose is to be kept next.
///
/// It has eight bytes for an account, and is told of none that was armed anew: what comes out may be out of date, and whoever
/// takes it compares it with the account, and puts it back with its time of now.
package struct KeepingOrder: Sendable {
    /// When an account is due, in tenths of a second on the clock that counts from boot; enough for thirteen years.
    package struct Due: Comparable, Hashable, Sendable {
        fileprivate let tenths: UInt32

        /// Rounds down.
        package init(_ moment: Moment) {
            self.tenths = UInt32(clamping: moment.boot.nanoseconds / 100_000_000)
        }

        package static func < (left: Due, right: Due) -> Bool { left.tenths < right.tenths }
    }

    private struct Entry: Comparable, Sendable {
        let due: Due
        let slot: Int32

        static func < (left: Entry, right: Entry) -> Bool { left.due < right.due }
    }

    /// What one entry takes of memory.
    package static var bytesPerAccount: Int { MemoryLayout<Entry>.stride }

    private var heap = Heap<Entry>()

    /// An empty one.
    package init() {}

    /// How many entries there are; an account may have several for a while.
    package var count: Int { heap.count }

    /// When the first is due; nil where there is none.
    package var soonest: Due? { heap.min?.due }

    /// Puts an account in.
    package mutating func insert(_ slot: AccountSlot, due: Due) {
        heap.insert(Entry(due: due, slot: slot.index))
    }

    /// Takes out what is due first; nil where there is none.
    package mutating func popFirst() -> (slot: AccountSlot, due: Due)? {
        heap.popMin().map { (AccountSlot($0.slot), $0.due) }
    }

    /// Takes out all, and gives their memory back.
    package mutating func removeAll() {
        heap = Heap()
    }
}

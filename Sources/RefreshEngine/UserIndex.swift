// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// Gives each user a slot: a small number that stays the user's own until it is removed, for tables to be kept by. Slots are
/// reused, so that they stay as few as there ever were users at once.
///
/// A hash table with linear probing whose buckets hold slots and not users: eight bytes a bucket, where a dictionary takes a key
/// and a value for each of its empty ones too. With a million accounts that is what counts.
struct UserIndex: Sendable {
    /// A slot, and enough of its user's hash to pass over most others without a look at them.
    private struct Bucket: Sendable {
        let hash: UInt32
        let slot: Int32

        static let vacant = Bucket(hash: 0, slot: -1)
        var isVacant: Bool { slot < 0 }
    }

    private static let fewestBuckets = 16

    /// The user of each slot; nil where it is free.
    private var users: [UserID?] = []
    private var free: [Int32] = []
    /// A power of two of them, at most three quarters taken.
    private var buckets: [Bucket] = Array(repeating: .vacant, count: fewestBuckets)

    /// How many users have a slot.
    var count: Int { users.count - free.count }

    /// The user of the slot; nil if it is free.
    func user(in slot: Int) -> UserID? { users[slot] }

    /// The user's slot; nil if there is none.
    func slot(of user: UserID) -> Int? {
        let bucket = buckets[place(of: user, Self.hash(user))]
        return bucket.isVacant ? nil : Int(bucket.slot)
    }

    /// Gives the user a slot, unless there is one: the number after all others, unless one is free.
    mutating func insert(_ user: UserID) -> Int {
        if 4 * (count + 1) > 3 * buckets.count { grow() }
        let hash = Self.hash(user)
        let place = place(of: user, hash)
        guard buckets[place].isVacant else { return Int(buckets[place].slot) }
        let slot = free.popLast() ?? Int32(users.count)
        if Int(slot) == users.count { users.append(user) } else { users[Int(slot)] = user }
        buckets[place] = Bucket(hash: hash, slot: slot)
        return Int(slot)
    }

    /// Takes the user's slot back.
    ///
    /// - Returns: the slot it was; nil if there was none.
    mutating func remove(_ user: UserID) -> Int? {
        let place = place(of: user, Self.hash(user))
        guard !buckets[place].isVacant else { return nil }
        let slot = buckets[place].slot
        users[Int(slot)] = nil
        free.append(slot)
        vacate(place)
        return Int(slot)
    }

    private static func hash(_ user: UserID) -> UInt32 { UInt32(truncatingIfNeeded: user.hashValue) }

    private var mask: Int { buckets.count - 1 }

    /// The place of the bucket that holds the user's slot, or of the vacant one where it belongs.
    private func place(of user: UserID, _ hash: UInt32) -> Int {
        var place = Int(hash) & mask
        while !buckets[place].isVacant, buckets[place].hash != hash || users[Int(buckets[place].slot)] != user {
            place = (place + 1) & mask
        }
        return place
    }

    /// Empties a bucket and moves up whoever would not be found behind a gap.
    private mutating func vacate(_ place: Int) {
        var gap = place
        var next = (gap + 1) & mask
        while !buckets[next].isVacant {
            let home = Int(buckets[next].hash) & mask
            // Whoever is as far from home as from the gap, or farther, belongs at the gap or before it.
            if (next - home) & mask >= (next - gap) & mask {
                buckets[gap] = buckets[next]
                gap = next
            }
            next = (next + 1) & mask
        }
        buckets[gap] = .vacant
    }

    private mutating func grow() {
        let old = buckets
        buckets = Array(repeating: .vacant, count: 2 * old.count)
        for bucket in old where !bucket.isVacant {
            var place = Int(bucket.hash) & mask
            while !buckets[place].isVacant { place = (place + 1) & mask }
            buckets[place] = bucket
        }
    }
}

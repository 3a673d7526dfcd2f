// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// The accounts that were in hand when processes died, and what follows from it: a pure value.
///
/// One death says little: whoever was in hand when a process was killed is in here too. Three of the same account with the same refresh
/// token, between which it never came through the step that it died in, are no chance any more.
struct SuspectList: Sendable {
    /// After so many deaths an account is left alone.
    static let enough = 3

    /// Each in its place, which stays its own.
    private(set) var places: [HandRecord?]
    private var placeOf: [UserID: Int] = [:]

    /// Goes on from what a process before wrote down.
    init(_ places: [HandRecord?]) {
        self.places = places
        for (place, record) in places.enumerated() {
            guard let record else { continue }
            if placeOf[record.user] == nil { placeOf[record.user] = place } else { self.places[place] = nil }
        }
    }

    /// Whether there is nobody in here.
    var isEmpty: Bool { placeOf.isEmpty }

    /// Who is to be left alone.
    var quarantined: [HandRecord] { places.compactMap(\.self).filter(\.isQuarantined) }

    /// What is known of an account; nil if nothing is.
    subscript(user: UserID) -> HandRecord? { placeOf[user].flatMap { places[$0] } }

    /// A process died with these in hand.
    mutating func died(holding held: [HandRecord]) {
        var counted: Set<UserID> = []
        for record in held where counted.insert(record.user).inserted {
            let known = self[record.user].flatMap { $0.version == record.version ? $0.deaths : nil } ?? 0
            guard let place = placeOf[record.user] ?? room(sparing: counted) else { continue }
            if let former = places[place] { placeOf[former.user] = nil }
            var record = record
            record.deaths = min(known + 1, HandRecord.mostDeaths)
            places[place] = record
            placeOf[record.user] = place
        }
    }

    /// A place, if need be of one who died the fewest times, and not just now: nobody who is left alone makes room.
    private func room(sparing spared: Set<UserID>) -> Int? {
        if let free = places.firstIndex(of: nil) { return free }
        let others = places.indices.filter { place in
            places[place].map { !$0.isQuarantined && !spared.contains($0.user) } ?? true
        }
        return others.min { places[$0]?.deaths ?? 0 < places[$1]?.deaths ?? 0 }
    }

    /// A process came to its orderly end: what was suspected without proof is over.
    mutating func endedInOrder() {
        for place in places.indices where places[place]?.isQuarantined == false { clear(place) }
    }

    /// An account came through a step. If it was in that one when a process died, it is above suspicion.
    ///
    /// - Returns: the place that is free now.
    mutating func cameThrough(_ step: HandlingStep, _ user: UserID, _ version: Int64) -> Int? {
        guard let place = placeOf[user], let record = places[place], !record.isQuarantined, record.step == step,
            record.version == version
        else { return nil }
        clear(place)
        return place
    }

    /// An account's row was met with that version of its refresh token. With another one than before nothing is held against it.
    ///
    /// - Returns: the place that is free now.
    mutating func met(_ user: UserID, _ version: Int64) -> Int? {
        guard let place = placeOf[user], places[place]?.version != version else { return nil }
        clear(place)
        return place
    }

    private mutating func clear(_ place: Int) {
        if let record = places[place] { placeOf[record.user] = nil }
        places[place] = nil
    }
}

extension HandRecord {
    /// Whether the account is left alone.
    var isQuarantined: Bool { deaths >= SuspectList.enough }
}

/// Tells at a glance of nearly all accounts that they are under no suspicion: a bit for each way in which an id may begin.
struct SuspectMask: Sendable {
    /// One of 64 for each suspect.
    let bits: UInt64

    /// Takes the bits.
    init(bits: UInt64) {
        self.bits = bits
    }

    /// The mask of all in a list.
    init(_ list: SuspectList) {
        bits = list.places.reduce(0) { bits, record in
            bits | (record.map { Self.bit(HandSlot.firstWord(of: $0.user)) } ?? 0)
        }
    }

    /// Whether nobody is under suspicion.
    var isEmpty: Bool { bits == 0 }

    /// Whether one whose id begins so may be.
    func mayHold(_ firstWord: UInt64) -> Bool { bits & Self.bit(firstWord) != 0 }

    /// Six bits out of the middle of nowhere: Fibonacci hashing.
    private static func bit(_ firstWord: UInt64) -> UInt64 { 1 << ((firstWord &* 0x9E37_79B9_7F4A_7C15) >> 58) }
}

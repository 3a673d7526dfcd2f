// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// Who took whose token, boiled down to what is worth a record: the first hand-out of each token to each caller at once,
/// further ones of the same token as a number.
///
/// The number is told with the caller's next token of that user, or when the pair is closed: its token died, its place was
/// needed, or everything ends. A further hand-out costs one look into a table, and no memory.
package struct TakeLedger: Sendable {
    /// Pairs of caller and user that are kept, so that many callers and users cost a few megabytes at most. Beyond them,
    /// pairs that were not heard of for the longest are closed, which costs records and loses none.
    package static let usualRoom = 65_536

    fileprivate struct Pair: Hashable, Sendable {
        let user: UserID
        let caller: UInt32
    }

    fileprivate struct Entry: Sendable {
        let pair: Pair
        /// Of the token that was told of last; nil where none was.
        var mark: UInt64?
        var diesAt: Moment
        var process: Int32
        var lastAt: WallTime
        var secondsLeft: Int64
        var untold: Int
        /// Whether a token was taken since the hand came by.
        var isRecent = true
    }

    private let room: Int
    private var places: [Pair: Int] = [:]
    private var entries: [Entry] = []
    private var hand = 0
    private var sweepsFrom = 0

    /// A ledger that has seen nothing, for so many pairs.
    package init(room: Int = usualRoom) {
        self.room = max(room, 1)
    }

    /// Pairs that are kept now.
    package var count: Int { entries.count }

    /// A token was handed out; appends what is to be recorded, two records at most.
    package mutating func take(
        _ token: PublishedToken,
        of user: UserID,
        by caller: Caller,
        at now: Moment,
        into records: inout [TokenTake]
    ) {
        let pair = Pair(user: user, caller: caller.user)
        let place = places[pair] ?? newPlace(for: pair, dyingAt: token.life.expiresAt, at: now, into: &records)
        let isNew = entries[place].mark != token.mark
        entries[place].note(token, caller.process, now)
        if isNew { records.append(entries[place].tell()) }
    }

    private mutating func newPlace(
        for pair: Pair,
        dyingAt diesAt: Moment,
        at now: Moment,
        into records: inout [TokenTake]
    ) -> Int {
        let entry = Entry(pair: pair, diesAt: diesAt, process: 0, lastAt: now.wall, secondsLeft: 0, untold: 0)
        var place = entries.count
        if place < room {
            entries.append(entry)
        } else {
            passRecent()
            place = hand
            close(place, into: &records)
            places[entries[place].pair] = nil
            entries[place] = entry
        }
        places[pair] = place
        return place
    }

    /// Moves the hand to a pair of which nothing was heard since it came by the last time.
    private mutating func passRecent() {
        hand = (hand + 1) % entries.count
        while entries[hand].isRecent {
            entries[hand].isRecent = false
            hand = (hand + 1) % entries.count
        }
    }

    private mutating func close(_ place: Int, into records: inout [TokenTake]) {
        if entries[place].untold > 0 { records.append(entries[place].tell()) }
    }
}

extension TakeLedger {
    /// Closes the pairs whose token is dead, among the next few at which it looks; whoever calls this now and then has all
    /// numbers told in the end, and none of it takes long.
    package mutating func closeDead(at now: Moment, lookingAt few: Int, into records: inout [TokenTake]) {
        for _ in 0..<min(few, entries.count) {
            sweepsFrom = sweepsFrom < entries.count ? sweepsFrom : 0
            guard entries[sweepsFrom].diesAt.isReached(at: now) else {
                sweepsFrom += 1
                continue
            }
            close(sweepsFrom, into: &records)
            remove(sweepsFrom)
        }
    }

    /// Closes all pairs.
    package mutating func closeAll(into records: inout [TokenTake]) {
        for place in entries.indices { close(place, into: &records) }
        self = TakeLedger(room: room)
    }

    /// The last one takes the free place.
    private mutating func remove(_ place: Int) {
        places[entries[place].pair] = nil
        let last = entries.removeLast()
        hand = 0
        guard place < entries.count else { return }
        entries[place] = last
        places[last.pair] = place
    }
}

extension TakeLedger.Entry {
    fileprivate mutating func note(_ token: PublishedToken, _ process: Int32, _ now: Moment) {
        mark = token.mark
        diesAt = token.life.expiresAt
        self.process = process
        lastAt = now.wall
        secondsLeft = token.life.remaining(at: now).wholeSecondsDown
        untold += 1
        isRecent = true
    }

    fileprivate mutating func tell() -> TokenTake {
        defer { untold = 0 }
        return TokenTake(
            user: pair.user,
            caller: pair.caller,
            process: process,
            lastAt: lastAt,
            secondsLeft: secondsLeft,
            count: untold
        )
    }
}

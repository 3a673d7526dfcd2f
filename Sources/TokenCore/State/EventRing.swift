// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// A place in the course of events: all before it were seen.
package struct EventPosition: Hashable, Sendable {
    /// Tells the runs of the daemon apart, since each counts anew.
    package let run: Int64
    /// How many events of that run were seen.
    package var seen: UInt64

    /// Names a place.
    package init(run: Int64, seen: UInt64) {
        self.run = run
        self.seen = seen
    }
}

/// Events that follow one another.
package struct EventPage: Hashable, Sendable {
    /// Where they begin: where was asked for, or later if something was missed.
    package let start: EventPosition
    /// The events; none if there are no newer ones.
    package let events: [AccountEvent]
    /// Whether events went by that are not kept any more, or that another run of the daemon had.
    package let missedSome: Bool

    /// Puts a page together.
    package init(start: EventPosition, events: [AccountEvent], missedSome: Bool) {
        self.start = start
        self.events = events
        self.missedSome = missedSome
    }

    /// Where the next page begins.
    package var end: EventPosition { EventPosition(run: start.run, seen: start.seen + UInt64(events.count)) }
}

/// The latest events. Who follows them keeps a place of his own in here, so that he who is slow costs no memory, and misses
/// some when he falls behind by more than there is room for.
package struct EventRing: Sendable {
    private let run: Int64
    private let capacity: Int
    private var kept: [AccountEvent] = []
    private var count: UInt64 = 0

    /// A ring without events.
    ///
    /// - Parameters:
    ///   - run: tells this run of the daemon from any other; the time of its start will do.
    ///   - capacity: how many events are kept.
    package init(run: Int64, capacity: Int) {
        self.run = run
        self.capacity = max(capacity, 1)
    }

    /// Where things stand: nothing came after it yet.
    package var end: EventPosition { EventPosition(run: run, seen: count) }

    /// Adds an event; the oldest one goes when there is no more room.
    package mutating func append(_ event: AccountEvent) {
        if kept.count < capacity {
            kept.append(event)
        } else {
            kept[Int(count % UInt64(capacity))] = event
        }
        count += 1
    }

    /// The events from a place on, oldest first, `limit` at most. From a place that is not known any more: those from the
    /// oldest one that is kept.
    package func page(from start: EventPosition, atMost limit: Int) -> EventPage {
        let oldest = count - UInt64(kept.count)
        let isKnown = start.run == run && start.seen >= oldest && start.seen <= count
        let first = isKnown ? start.seen : oldest
        let end = min(count, first + UInt64(max(limit, 0)))
        return EventPage(
            start: EventPosition(run: run, seen: first),
            events: (first..<end).map { kept[Int($0 % UInt64(capacity))] },
            missedSome: !isKnown
        )
    }
}

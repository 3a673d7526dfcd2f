// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Synchronization
import TokenCore

/// The latest events, and who waits for the next one; from any thread.
final class EventFeed: Sendable {
    /// Enough for some seconds of a million accounts, and for hours of a thousand; about a megabyte when it is full.
    private static let capacity = 16_384

    private struct State {
        var ring: EventRing
        var waiters: [EventWaiter: @Sendable () -> Void] = [:]
        var lastNumber: UInt64 = 0
    }

    private let state: Mutex<State>

    /// A feed without events, of a run of the daemon that began at that time.
    init(began: WallTime) {
        state = Mutex(State(ring: EventRing(run: began.microseconds, capacity: Self.capacity)))
    }

    /// Adds an event, and wakes who waits.
    func add(_ event: AccountEvent) {
        let waiters = state.withLock { state in
            state.ring.append(event)
            defer { if !state.waiters.isEmpty { state.waiters = [:] } }
            return state.waiters
        }
        for wake in waiters.values { wake() }
    }

    /// See ``TokenServing/eventsEnd``.
    var end: EventPosition { state.withLock { $0.ring.end } }

    /// See ``TokenServing/events(from:atMost:)``.
    func events(from start: EventPosition, atMost limit: Int) -> EventPage {
        state.withLock { $0.ring.page(from: start, atMost: limit) }
    }

    /// See ``TokenServing/onEvent(after:_:)``.
    func onEvent(after position: EventPosition, _ wake: @escaping @Sendable () -> Void) -> EventWaiter? {
        let waiter = state.withLock { state -> EventWaiter? in
            guard state.ring.end == position else { return nil }
            state.lastNumber += 1
            let waiter = EventWaiter(number: state.lastNumber)
            state.waiters[waiter] = wake
            return waiter
        }
        if waiter == nil { wake() }
        return waiter
    }

    /// See ``TokenServing/cancel(_:)-(EventWaiter)``.
    func cancel(_ waiter: EventWaiter) {
        state.withLock { $0.waiters[waiter] = nil }
    }
}

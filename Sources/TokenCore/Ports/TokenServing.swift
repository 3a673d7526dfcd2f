// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// What the socket needs of the engine. Adapter: `RefreshEngine`.
///
/// ``entry(for:)`` is the answering path: memory only, any thread, no waiting. Waiting is a callback and not a suspended
/// task, so that an event loop can hold thousands of waiters, each with the deadline its caller named.
package protocol TokenServing: Sendable {
    /// What is known of the account now; nil if there is no such row.
    func entry(for user: UserID) -> BoardEntry?

    /// Calls `wake` once, on any thread, as soon as the account's entry is another than `version`; at once, from within
    /// this call, if it is so already. Nil if it was called at once, else what ``cancel(_:)`` takes.
    func onChange(
        of user: UserID,
        after version: UInt64,
        _ wake: @escaping @Sendable () -> Void
    ) -> ChangeWaiter?

    /// Forgets a waiter; `wake` is not called any more, unless it is being called already.
    func cancel(_ waiter: ChangeWaiter)

    /// Sees to it that a refresh is under way: joins the one there is, or starts one as soon as the schedule lets it.
    func requestRefresh(of user: UserID)

    /// Sees to it that a new token is on its way, however long the one at hand lives: joins the refresh under way, or begins one
    /// if the account's state and the limits allow it.
    ///
    /// - Parameters:
    ///   - user: whose.
    ///   - isMeant: whether this is the token that the caller wants replaced; nil where there is none alive. It is asked in
    ///     the same turn in which the refresh is begun.
    /// - Returns: whether it is under way, or why not; the refresh itself is not waited for.
    func refresh(_ user: UserID, if isMeant: @escaping @Sendable (PublishedToken?) -> Bool) async -> RefreshVerdict

    /// How the account stands; nil if there is no such row.
    func report(on user: UserID) async -> GrantReport?

    /// Some of the accounts that were asked for, each as ``report(on:)`` has it.
    func reports(_ query: ReportQuery) async -> ReportPage

    /// Why the account stands as it does; nil if there is no such row.
    func explanation(of user: UserID) async -> GrantExplanation?

    /// How the engine does, over all accounts.
    func summary() async -> EngineSummary

    /// Where a stream of events begins that is to tell what happens from now on.
    var eventsEnd: EventPosition { get }

    /// What happened since, `limit` events at most; never waits.
    func events(from start: EventPosition, atMost limit: Int) -> EventPage

    /// Calls `wake` once, on any thread, as soon as there are events after that place; at once, from within this call, if there
    /// are already, or if the place is not known. Nil if it was called at once, else what ``cancel(_:)-(EventWaiter)`` takes.
    func onEvent(after position: EventPosition, _ wake: @escaping @Sendable () -> Void) -> EventWaiter?

    /// Forgets a waiter; `wake` is not called any more, unless it is being called already.
    func cancel(_ waiter: EventWaiter)

    /// Whether every account is loaded, so that an unknown user is truly unknown.
    var isReady: Bool { get }
}

/// One callback registered with ``TokenServing/onChange(of:after:_:)``.
package struct ChangeWaiter: Hashable, Sendable {
    /// Whose entry is watched.
    package let user: UserID
    /// Tells waiters of one user apart.
    package let number: UInt64

    /// Names a waiter.
    package init(user: UserID, number: UInt64) {
        self.user = user
        self.number = number
    }
}

/// One callback registered with ``TokenServing/onEvent(after:_:)``.
package struct EventWaiter: Hashable, Sendable {
    /// Tells waiters apart.
    package let number: UInt64

    /// Names a waiter.
    package init(number: UInt64) {
        self.number = number
    }
}

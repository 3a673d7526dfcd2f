// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// The pause that the endpoint asked for by 429: it means the client, so all its accounts keep it (hard
/// case H14). A tenth of the rate is spared for accounts whose token would not outlive the pause.
package struct ClientPause: Hashable, Sendable {
    /// What is kept at most, whatever is asked for.
    private static let longest: Duration = .seconds(300)
    /// What is kept where nothing is said.
    private static let usual: Duration = .seconds(5)

    private var end: Moment?
    private var spare: TokenBucket

    /// No pause.
    ///
    /// - Parameters:
    ///   - perSecond: the calls that may be made in a second outside a pause.
    ///   - now: the time on the boot clock.
    package init(perSecond: Double, at now: BootTime) {
        spare = Self.spare(perSecond, now)
    }

    /// The rate is another from now on; a pause that is on stays.
    package mutating func changeRate(perSecond: Double, at now: BootTime) {
        spare = Self.spare(perSecond, now)
    }

    private static func spare(_ perSecond: Double, _ now: BootTime) -> TokenBucket {
        TokenBucket(perSecond: max(perSecond / 10, 0.1), at: now)
    }

    /// The endpoint asked to be left alone, for so long if it said so. A pause under way only gets longer by it.
    package mutating func asked(for time: Duration?, at now: Moment) {
        let wanted = now + min(max(time ?? Self.usual, .zero), Self.longest)
        guard let end, end.remaining(at: now) > wanted.remaining(at: now) else { return end = wanted }
    }

    /// How long until the most urgent account may be called for.
    ///
    /// - Parameters:
    ///   - lifeLeft: what is left of its token; zero or less if it is dead.
    ///   - now: the time by both clocks.
    /// - Returns: the time to wait; zero or less if the call may be made now.
    package func wait(forLifeLeft lifeLeft: Duration, at now: Moment) -> Duration {
        guard let end else { return .zero }
        let rest = end.remaining(at: now)
        guard lifeLeft < rest else { return rest }
        return min(spare.nextAt - now.boot, rest)
    }

    /// A call is made now.
    package mutating func called(at now: Moment) {
        guard let end else { return }
        if end.isReached(at: now) { self.end = nil } else { _ = spare.take(at: now.boot) }
    }

    /// Whether a pause is on.
    package func isOn(at now: Moment) -> Bool {
        end.map { !$0.isReached(at: now) } ?? false
    }
}

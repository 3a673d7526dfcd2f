// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import TokenCore

/// Calls that others make because a person waits: the proof of a grant, the exchange of a code. They are few and have no place in the line. What
/// stops a client's calls stops them too, and what comes of them all accounts of the client have part in (architecture.md, decision 6).
extension RefreshEngine {
    /// Further from its end than any token is: whoever has no token to lose does not use what a pause spares for the dying.
    private static let noHurry: Duration = .seconds(86_400)

    /// Why no call may be made for a client now.
    ///
    /// - Parameter client: its name; nil is the configuration's.
    /// - Returns: what stops it, and for how long; nil if a call may be made, which counts as the next probe where one is due. Refusals
    ///   of most accounts' grants are no obstacle: new ones are what mends them.
    package func obstacle(ofClient client: String?) -> CallObstacle? {
        guard let lane = lanes.number(of: client) else { return nil }
        let now = clock()
        if lanes[lane].pause.isOn(at: now) {
            let wait = lanes[lane].pause.wait(forLifeLeft: Self.noHurry, at: now)
            return CallObstacle(reason: "it asked to be left alone for a while", wait: wait)
        }
        guard let cause = lanes[lane].breaker.cause, cause != .grantsRefused else { return nil }
        let reason = cause.words(for: lanes[lane].client)
        let wait = lanes[lane].breaker.wait(forLifeLeft: Self.noHurry, at: now)
        guard wait <= .zero else { return CallObstacle(reason: reason, wait: wait) }
        lanes[lane].breaker.called(lifeLeft: Self.noHurry, perSecond: configuration.maxPerSecond, at: now)
        return nil
    }

    /// A call that somebody else made came to its end.
    ///
    /// - Parameters:
    ///   - user: for whose account it was made.
    ///   - client: the client's name; nil is the configuration's.
    ///   - begunAt: when it was made.
    ///   - failure: how it failed; nil if there was a token. A refused grant or code is its own affair, since a person entered it, but
    ///     the endpoint has answered.
    package func callEnded(
        for user: UserID,
        of client: String?,
        begunAt: Moment,
        _ failure: RefreshFailure?
    ) {
        guard let lane = lanes.number(of: client) else { return }
        if let failure, failure.kind == .throttled { keepPause(of: lane, failure) }
        guard let told = failure.map({ CallOutcome($0.kind) }) ?? .granted else { return }
        let outcome = told == .grantRefused ? .answered : told
        heed(outcome, failure, of: user, in: lane, begunAt: begunAt)
        advance()
    }
}

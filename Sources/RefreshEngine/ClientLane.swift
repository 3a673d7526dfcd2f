// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import CoreMetrics
import TokenCore

/// Which of the engine's lanes; small, since each account has one.
package struct LaneNumber: Hashable, Sendable {
    /// Its place among the lanes.
    let value: UInt8

    /// The lane of the client that the configuration names; there always is one.
    package static let ofDefault = LaneNumber(value: 0)
}

/// What the accounts of one OAuth client share: who the client is, how fast its calls may follow each other, what stops them, and
/// what is known of its provider. One client's fault is no other's.
struct ClientLane: Sendable {
    /// The client.
    var client: ClientRegistration
    /// Why no call can be made for it at all, in words; nil if calls can be made.
    var obstacle: String?
    /// Accounts in line for a refresh, by the end of their token: the most urgent goes first.
    var ready: DueQueue
    /// How fast calls follow each other.
    var bucket: TokenBucket
    /// What the endpoint asked for.
    var pause: ClientPause
    /// What stops all calls.
    var breaker: Breaker
    /// Tells whether it does.
    let breakerMeter: Meter
    /// The last failure by which the breaker is open; nil while it is closed.
    var breakerFailure: RefreshFailure?
    /// Accounts that failed since a call last succeeded, for want of client or endpoint perhaps; the breaker's closing wakes just these.
    var victims: Set<UserID> = []
    /// Accounts being claimed and calls under way, together.
    var inFlight = 0
    /// The users who are being claimed, in one batch at a time.
    var claiming: Set<UserID> = []
    /// Whether the client's provider was ever seen to rotate refresh tokens, by this daemon or another on this database.
    var rotation = Rotation.unseen

    /// A lane without accounts.
    init(
        _ client: ClientRegistration,
        _ configuration: EngineConfiguration,
        _ metrics: RefreshMetrics,
        at now: Moment
    ) {
        self.client = client
        breakerMeter = metrics.breaker(of: client.name)
        ready = DueQueue(now: now)
        bucket = TokenBucket(perSecond: configuration.maxPerSecond, at: now.boot)
        pause = ClientPause(perSecond: configuration.maxPerSecond, at: now.boot)
        breaker = Breaker(backoff: configuration.policy.backoff)
    }

    /// Whether it was seen that refresh tokens are replaced: then each call is written down first.
    var rotates: Bool { rotation != .unseen }

    /// Why no refreshes are made, in words; nil while they are.
    var standstill: String? {
        obstacle ?? causeInWords.map { words in breakerFailure.map { "\(words): \($0)" } ?? words }
    }

    /// What its breaker is open for, in words; nil while it is closed.
    var causeInWords: String? { breaker.cause?.words(for: client) }

    /// Goes on with other settings.
    mutating func reconfigure(_ settings: RefreshEngine.LiveSettings, from before: EngineConfiguration, at now: Moment)
    {
        if settings.maxPerSecond != before.maxPerSecond {
            bucket = TokenBucket(perSecond: settings.maxPerSecond, at: now.boot)
            pause.changeRate(perSecond: settings.maxPerSecond, at: now.boot)
        }
        breaker = breaker.with(settings.policy.backoff)
    }
}

extension Breaker.Cause {
    /// How the calls end by which it is.
    var outcome: CallOutcome {
        switch self {
        case .clientRefused: .clientRefused
        case .grantsRefused: .grantRefused
        case .endpointAway: .unanswered
        }
    }

    /// What is at fault, for people, and where it is mended for that client.
    func words(for client: ClientRegistration) -> String {
        switch self {
        case .clientRefused where client.name != ClientRegistration.configuredName:
            "the OAuth client is refused; check its id, secret and environment (tastytoken client set \(client.name))"
        case .clientRefused: "the OAuth client is refused; check tastytrade.clientSecret and tastytrade.env"
        case .grantsRefused:
            "most grants are refused at once, which is no account's own fault; see whether TastyTrade revoked them, or tastytrade.env is another's"
        case .endpointAway: "the token endpoint does not answer; check network, proxy and tastytrade.apiUrl"
        }
    }
}

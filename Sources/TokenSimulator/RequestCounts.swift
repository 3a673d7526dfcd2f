// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// How many requests there were, and how they came.
package struct SimulatorCounts: Codable, Hashable, Sendable {
    /// All requests but those of the control routes.
    package var requests = 0
    /// Requests to the token endpoint.
    package var tokenRequests = 0
    /// By outcome; an outcome that never came is missing.
    package var outcomes: [String: Int] = [:]
    /// Access tokens that were made, whether or not the reply arrived.
    package var made = 0
    /// Requests being answered now.
    package var inFlight = 0
    /// The most requests that were being answered at once.
    package var peakInFlight = 0
    /// Token requests that began while another one of the same account was being answered.
    package var overlaps = 0
    /// Token requests that presented a refresh token which had been exchanged for a new one, or a code which had been
    /// exchanged: done twice.
    package var reused = 0
    /// Grants that were killed because of that.
    package var grantsLost = 0
    /// The most token requests within any second: of those that began after some instant and up to a second after it.
    package var peakPerSecond = 0
    /// The most token requests within any ten seconds.
    package var peakPerTenSeconds = 0
    /// Connections that were made.
    package var connections = 0
    /// Connections that were reset at once.
    package var connectionsReset = 0

    /// How many requests came out so.
    package func count(_ outcome: RequestOutcome) -> Int { outcomes[outcome.rawValue] ?? 0 }
}

/// How many requests one account made, or one grant.
package struct AccountCounts: Codable, Hashable, Sendable {
    /// Token requests with a grant of the account.
    package var requests = 0
    /// Those that gave an access token, whether or not the reply arrived.
    package var issued = 0
    /// Those being answered now.
    package var inFlight = 0
    /// Those that began while another one was being answered.
    package var overlaps = 0
    /// Those that presented a refresh token which had been exchanged for a new one, or a code which had been exchanged.
    package var reused = 0
    /// Grants that were killed because of that.
    package var grantsLost = 0
    /// The most within any second.
    package var peakPerSecond = 0
    /// The shortest time between two access tokens, in milliseconds; nil while there are no two.
    package var shortestGapMs: Int64?
}

/// The counts of one account, or one grant, with what they are worked out from.
struct AccountTally {
    /// The counts.
    private(set) var counts = AccountCounts()
    private var meter = RateMeter(window: .seconds(1))
    private var lastMadeAt: SimulatorInstant?

    /// Notes a request; says whether it overlaps another one.
    mutating func begin(_ record: RequestRecord, _ standing: GrantLedger.Standing?) -> Bool {
        counts.requests += 1
        counts.inFlight += 1
        meter.note(record.receivedAt)
        counts.peakPerSecond = meter.peak
        if record.outcome.madeToken { made(at: record.receivedAt) }
        counts.reused += standing?.isReuse == true ? 1 : 0
        counts.grantsLost += standing == .killed ? 1 : 0
        let overlaps = counts.inFlight > 1
        counts.overlaps += overlaps ? 1 : 0
        return overlaps
    }

    /// Notes that a request was answered, or will not be.
    mutating func end() {
        counts.inFlight -= 1
    }

    private mutating func made(at now: SimulatorInstant) {
        counts.issued += 1
        if let lastMadeAt {
            counts.shortestGapMs = min(counts.shortestGapMs ?? .max, now.milliseconds - lastMadeAt.milliseconds)
        }
        lastMadeAt = now
    }
}

extension GrantLedger.Standing {
    /// Whether a refresh token was presented that had been exchanged before.
    var isReuse: Bool { self == .spared || self == .killed }
}

/// Finds the most events within any window of time.
struct RateMeter {
    private let window: Duration
    private var instants: [Int64] = []
    private var oldest = 0
    /// The most there were.
    private(set) var peak = 0

    /// Takes the window's length.
    init(window: Duration) {
        self.window = window
    }

    /// Notes an event, no earlier than the last.
    mutating func note(_ now: SimulatorInstant) {
        let begin = now.nanoseconds - window.nanoseconds
        while oldest < instants.count, instants[oldest] <= begin { oldest += 1 }
        if oldest > instants.count / 2 {
            instants.removeFirst(oldest)
            oldest = 0
        }
        instants.append(now.nanoseconds)
        peak = max(peak, instants.count - oldest)
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// Counts and lists what the simulator was asked. The counts are exact; the list has a bound.
struct RequestJournal {
    /// How many there were.
    private(set) var counts = SimulatorCounts()
    private var accountTallies: [String: AccountTally] = [:]
    private var grantTallies: [String: AccountTally] = [:]
    private var secondMeter = RateMeter(window: .seconds(1))
    private var tenSecondMeter = RateMeter(window: .seconds(10))
    private var ring: [RequestRecord] = []
    private var oldest = 0
    private let capacity: Int

    /// Takes how many requests are kept.
    init(capacity: Int) {
        self.capacity = max(capacity, 1)
    }

    /// The requests that are kept, oldest first.
    var requests: [RequestRecord] { Array(ring[oldest...] + ring[..<oldest]) }

    /// How many there were of each account.
    var accounts: [String: AccountCounts] { accountTallies.mapValues(\.counts) }

    /// How many there were of one account.
    func counts(account: String) -> AccountCounts { accountTallies[account]?.counts ?? AccountCounts() }

    /// How many there were of one grant.
    func counts(grantID: String) -> AccountCounts { grantTallies[grantID]?.counts ?? AccountCounts() }

    /// Notes a request that is being answered from now on; `grantID` and `standing` are those of a token request whose
    /// refresh token is one of ours.
    mutating func begin(
        _ record: RequestRecord,
        isTokenRequest: Bool,
        grantID: String? = nil,
        standing: GrantLedger.Standing? = nil
    ) {
        counts.requests += 1
        counts.outcomes[record.outcome.rawValue, default: 0] += 1
        counts.made += record.outcome.madeToken ? 1 : 0
        counts.inFlight += 1
        counts.peakInFlight = max(counts.peakInFlight, counts.inFlight)
        if isTokenRequest { beginToken(record, grantID, standing) }
        keep(record)
    }

    /// Notes that a request was answered, or will not be; `account` and `grantID` are those of a token request.
    mutating func end(account: String?, grantID: String? = nil) {
        counts.inFlight -= 1
        if let account { accountTallies[account]?.end() }
        if let grantID { grantTallies[grantID]?.end() }
    }

    /// Notes a connection.
    mutating func connected(isReset: Bool) {
        counts.connections += 1
        counts.connectionsReset += isReset ? 1 : 0
    }

    private mutating func beginToken(
        _ record: RequestRecord,
        _ grantID: String?,
        _ standing: GrantLedger.Standing?
    ) {
        counts.tokenRequests += 1
        secondMeter.note(record.receivedAt)
        tenSecondMeter.note(record.receivedAt)
        counts.peakPerSecond = secondMeter.peak
        counts.peakPerTenSeconds = tenSecondMeter.peak
        counts.reused += standing?.isReuse == true ? 1 : 0
        counts.grantsLost += standing == .killed ? 1 : 0
        if let grantID { _ = grantTallies[grantID, default: AccountTally()].begin(record, standing) }
        guard let account = record.account else { return }
        let overlaps = accountTallies[account, default: AccountTally()].begin(record, standing)
        counts.overlaps += overlaps ? 1 : 0
    }

    private mutating func keep(_ record: RequestRecord) {
        guard ring.count == capacity else { return ring.append(record) }
        ring[oldest] = record
        oldest = (oldest + 1) % capacity
    }
}

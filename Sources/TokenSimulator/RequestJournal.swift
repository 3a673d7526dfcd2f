// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// What became of a request, as it is counted.
package enum RequestOutcome: String, Codable, Hashable, Sendable, CaseIterable {
    /// An access token was given.
    case issued
    /// The accounts were listed.
    case listed
    /// 401 with a page: the `User-Agent` is missing or odd.
    case userAgentRefused = "user_agent_refused"
    /// 401 for a call with no live access token.
    case unauthorized
    /// The token endpoint could not read the request, or misses something in it.
    case invalidRequest = "invalid_request"
    /// The client's secret or id is wrong.
    case invalidClient = "invalid_client"
    /// The refresh token is none of ours, or its grant is revoked.
    case invalidGrant = "invalid_grant"
    /// The grant type is not `refresh_token`.
    case unsupportedGrantType = "unsupported_grant_type"
    /// 404.
    case notFound = "not_found"
    /// 405.
    case methodNotAllowed = "method_not_allowed"
    /// 413.
    case tooLarge = "too_large"
    /// A fault: an error page.
    case errorPage = "error_page"
    /// A fault: a refusal that the request did not earn.
    case refusalFault = "refusal_fault"
    /// A fault: the connection was reset before the request was acted on.
    case resetBefore = "reset_before"
    /// A fault: a token was made, and the connection reset before the reply.
    case resetAfter = "reset_after"
    /// A fault: the service was away.
    case outage
    /// A fault: bytes of the test's own.
    case raw
}

/// One request as it is shown; never with a secret in it.
package struct RequestRecord: Hashable, Sendable {
    /// When it was whole.
    package let receivedAt: SimulatorInstant
    /// The method's name.
    package let method: String
    /// The path without the query.
    package let path: String
    /// The account it belongs to, if its grant is one of ours.
    package let account: String?
    /// What became of it.
    package let outcome: RequestOutcome
    /// The header fields, in order; the value of `Authorization` and of cookies is left out.
    package let headers: [Header]
    /// The names of the body's fields, sorted.
    package let fields: [String]

    /// A header field.
    package struct Header: Hashable, Sendable, Codable {
        /// The field's name as it was sent.
        package let name: String
        /// The field's value.
        package let value: String
    }
}

/// How many requests there were, and how they came.
package struct SimulatorCounts: Codable, Hashable, Sendable {
    /// All requests but those of the control routes.
    package var requests = 0
    /// Requests to the token endpoint.
    package var tokenRequests = 0
    /// By outcome; an outcome that never came is missing.
    package var outcomes: [String: Int] = [:]
    /// Requests being answered now.
    package var inFlight = 0
    /// The most requests that were being answered at once.
    package var peakInFlight = 0
    /// Token requests that began while another one of the same account was being answered.
    package var overlaps = 0
    /// Connections that were made.
    package var connections = 0
    /// Connections that were reset at once.
    package var connectionsReset = 0

    /// How many requests came out so.
    package func count(_ outcome: RequestOutcome) -> Int { outcomes[outcome.rawValue] ?? 0 }
}

/// How many requests one account made.
package struct AccountCounts: Codable, Hashable, Sendable {
    /// Token requests with a grant of the account.
    package var requests = 0
    /// Those that gave an access token, whether or not the reply arrived.
    package var issued = 0
    /// Those being answered now.
    package var inFlight = 0
    /// Those that began while another one was being answered.
    package var overlaps = 0
}

/// Counts and lists what the simulator was asked. The counts are exact; the list has a bound.
struct RequestJournal {
    /// How many there were.
    private(set) var counts = SimulatorCounts()
    /// How many there were of each account.
    private(set) var accounts: [String: AccountCounts] = [:]
    private var ring: [RequestRecord] = []
    private var oldest = 0
    private let capacity: Int

    /// Takes how many requests are kept.
    init(capacity: Int) {
        self.capacity = max(capacity, 1)
    }

    /// The requests that are kept, oldest first.
    var requests: [RequestRecord] { Array(ring[oldest...] + ring[..<oldest]) }

    /// Notes a request that is being answered from now on.
    mutating func begin(_ record: RequestRecord, isTokenRequest: Bool) {
        counts.requests += 1
        counts.tokenRequests += isTokenRequest ? 1 : 0
        counts.outcomes[record.outcome.rawValue, default: 0] += 1
        counts.inFlight += 1
        counts.peakInFlight = max(counts.peakInFlight, counts.inFlight)
        if isTokenRequest, let account = record.account { begin(account: account, outcome: record.outcome) }
        keep(record)
    }

    /// Notes that a request was answered, or will not be; `account` is that of a token request.
    mutating func end(account: String?) {
        counts.inFlight -= 1
        if let account { accounts[account]?.inFlight -= 1 }
    }

    /// Notes a connection.
    mutating func connected(isReset: Bool) {
        counts.connections += 1
        counts.connectionsReset += isReset ? 1 : 0
    }

    private mutating func begin(account: String, outcome: RequestOutcome) {
        let overlaps = accounts[account, default: AccountCounts()].begin(outcome)
        counts.overlaps += overlaps ? 1 : 0
    }

    private mutating func keep(_ record: RequestRecord) {
        guard ring.count == capacity else { return ring.append(record) }
        ring[oldest] = record
        oldest = (oldest + 1) % capacity
    }
}

extension AccountCounts {
    /// Notes a request; says whether it overlaps another one.
    fileprivate mutating func begin(_ outcome: RequestOutcome) -> Bool {
        requests += 1
        issued += outcome == .issued || outcome == .resetAfter ? 1 : 0
        inFlight += 1
        guard inFlight > 1 else { return false }
        overlaps += 1
        return true
    }
}

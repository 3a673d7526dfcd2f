// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// What `GET /v1/users/{user}` gives (product.md, Socket API): how an account stands, without its tokens.
package struct StatusReply: Hashable, Sendable, Decodable {
    /// Whose account it is.
    package let user: String
    /// One of the contract's statuses.
    package let status: String
    /// `production` or `sandbox`.
    package let environment: String
    /// The name of the OAuth client that the grant belongs to.
    package let client: String
    /// When the token at hand dies or died, RFC 3339.
    package let expiresAt: String?
    /// When a refresh last gave a token, RFC 3339.
    package let lastRefreshedAt: String?
    /// When the next refresh is due, RFC 3339.
    package let nextRefreshAt: String?
    /// Refreshes that failed since the last one that did not.
    package let consecutiveFailures: Int
    /// The last failure in words.
    package let lastError: String?

    /// The names of the fields on the wire.
    package enum CodingKeys: String, CodingKey {
        case user, status, environment, client
        case expiresAt = "expires_at"
        case lastRefreshedAt = "last_refreshed_at"
        case nextRefreshAt = "next_refresh_at"
        case consecutiveFailures = "consecutive_failures"
        case lastError = "last_error"
    }

    /// Puts together what the daemon knows; times in microseconds since 1970-01-01T00:00:00Z.
    package init(
        user: String,
        status: String,
        environment: String,
        client: String,
        expiresAtMicroseconds: Int64?,
        lastRefreshedAtMicroseconds: Int64?,
        nextRefreshAtMicroseconds: Int64?,
        consecutiveFailures: Int,
        lastError: String?
    ) {
        self.user = user
        self.status = status
        self.environment = environment
        self.client = client
        self.expiresAt = expiresAtMicroseconds.map(Timestamp.text(microseconds:))
        self.lastRefreshedAt = lastRefreshedAtMicroseconds.map(Timestamp.text(microseconds:))
        self.nextRefreshAt = nextRefreshAtMicroseconds.map(Timestamp.text(microseconds:))
        self.consecutiveFailures = consecutiveFailures
        self.lastError = lastError
    }

    /// The reply's body; what is unknown is null.
    package var json: [UInt8] {
        var text = JSONText()
        add(to: &text)
        text.close()
        return text.bytes
    }

    /// The body of a reply that has something to remark besides.
    ///
    /// - Parameter notes: the remarks, in sentences.
    /// - Returns: the same fields, and the notes.
    package func json(adding notes: [String]) -> [UInt8] {
        var text = JSONText()
        add(to: &text)
        text.add(EnrollmentField.notes, texts: notes)
        text.close()
        return text.bytes
    }

    private func add(to text: inout JSONText) {
        text.add(CodingKeys.user.rawValue, user)
        text.add(CodingKeys.status.rawValue, status)
        text.add(CodingKeys.environment.rawValue, environment)
        text.add(CodingKeys.client.rawValue, client)
        text.add(CodingKeys.expiresAt.rawValue, expiresAt)
        text.add(CodingKeys.lastRefreshedAt.rawValue, lastRefreshedAt)
        text.add(CodingKeys.nextRefreshAt.rawValue, nextRefreshAt)
        text.add(CodingKeys.consecutiveFailures.rawValue, consecutiveFailures)
        text.add(CodingKeys.lastError.rawValue, lastError)
    }
}

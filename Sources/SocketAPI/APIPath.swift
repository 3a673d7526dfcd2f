// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// The paths of the socket's API (product.md, Socket API), as a client asks for them.
package enum APIPath {
    /// What stands before every user's id.
    package static let users = "/v1/users/"
    /// How all accounts stand, page by page.
    package static let allUsers = "/v1/users"
    /// What happens to accounts, as it happens.
    package static let events = "/v1/events"
    /// Whether the daemon is alive.
    package static let alive = "/healthz"
    /// Whether every account is loaded.
    package static let ready = "/readyz"
    /// The daemon in numbers, in Prometheus' text format.
    package static let metrics = "/metrics"

    /// `GET`: the user's token. Seconds that are nil are left to the daemon.
    package static func token(of user: String, minimumLife: Int? = nil, maximumWait: Int? = nil) -> String {
        var path = status(of: user) + "/token"
        var mark = "?"
        func add(_ name: String, _ seconds: Int?) {
            guard let seconds else { return }
            path += "\(mark)\(name)=\(seconds)"
            mark = "&"
        }
        add(QueryName.minimumLife, minimumLife)
        add(QueryName.maximumWait, maximumWait)
        return path
    }

    /// `GET`: how the user's account stands.
    package static func status(of user: String) -> String {
        users + PercentCoding.encode(user)
    }
}

/// The names of query parameters.
package enum QueryName {
    /// How long the token must live yet, in whole seconds.
    package static let minimumLife = "min_ttl"
    /// How long the call may wait, in whole seconds.
    package static let maximumWait = "max_wait"
    /// Statuses that are asked for, separated by commas.
    package static let status = "status"
}

/// The names of header fields that the API gives a meaning of its own.
package enum HeaderName {
    /// Why the token in the reply lives shorter than asked; holds a ``ProblemCode``.
    package static let degraded = "Tastytokend-Degraded"
    /// The last event that the caller has seen (WHATWG HTML, section 9.2.4).
    package static let lastEventID = "Last-Event-ID"
}

/// The media types of replies.
package enum MediaType {
    /// Every reply that is not named otherwise.
    package static let json = "application/json"
    /// The bare token.
    package static let text = "text/plain"
    /// Events, as they happen (WHATWG HTML, section 9.2).
    package static let events = "text/event-stream"
    /// An error (RFC 9457).
    package static let problem = "application/problem+json"
}

/// Where the socket is unless somebody says otherwise.
package enum SocketLocation {
    /// The path of an installed daemon.
    package static let standard = "/run/tastytokend/api.sock"
    /// The environment variable that names another one.
    package static let variable = "SOCKET_PATH"
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import CoreMetrics
import SocketAPI
import Synchronization
package import TokenCore

/// What the socket tells in numbers (product.md, Metrics), and where it gets all metrics for whoever asks for them.
package struct SocketMetrics: Sendable {
    private static let requests = "tastytokend_requests_total"
    private static let remaining = "tastytokend_token_remaining_seconds"
    private static let refused = "tastytokend_connections_refused_total"
    private static let pauses = "tastytokend_accept_pauses_total"

    /// What the metrics mean.
    package static let descriptions = [
        MetricDescription(
            requests,
            .counter,
            help: "Requests that were answered, by route and HTTP status; other is what names no route."
        ),
        MetricDescription(
            remaining,
            // A token of 900 s is refreshed between 0.5 and 0.7 of its life; what lies below 270 is late.
            .histogram(bounds: [0, 5, 15, 30, 60, 120, 180, 270, 360, 450, 600, 900]),
            help: "Life left to tokens when they were handed out, in whole seconds rounded down."
        ),
        MetricDescription(
            refused,
            .counter,
            help:
                "Connections that were answered with 503 overloaded and closed: too_many are open, of one caller or of "
                + "all, or there is no_descriptor left."
        ),
        MetricDescription(
            pauses,
            .counter,
            help: "Times that nobody was let in for up to a second, because not even a refusal was possible."
        ),
    ]

    /// What remains of a token's life at hand-out, in whole seconds.
    let remaining: Recorder
    /// All metrics in Prometheus' text format.
    let text: @Sendable () async -> String
    /// Connections refused because too many are open, of one caller or of all.
    let refusedForNumber: Counter
    /// Connections refused because no descriptor was left.
    let refusedForDescriptors: Counter
    /// Pauses in accepting.
    let pauses: Counter
    private let answers: AnswerCounters

    /// Records into what the factory makes.
    ///
    /// - Parameters:
    ///   - factory: makes the series.
    ///   - text: gives all metrics in Prometheus' text format (0.0.4). How long a caller waits for it is bounded here.
    package init(_ factory: any MetricsFactory, text: @escaping @Sendable () async -> String) {
        self.remaining = Recorder(label: Self.remaining, factory: factory)
        self.text = text
        self.refusedForNumber = Counter(label: Self.refused, dimensions: [("reason", "too_many")], factory: factory)
        self.refusedForDescriptors = Counter(
            label: Self.refused,
            dimensions: [("reason", "no_descriptor")],
            factory: factory
        )
        self.pauses = Counter(label: Self.pauses, factory: factory)
        self.answers = AnswerCounters { route, status in
            let labels = [("route", route), ("code", "\(status)")]
            return Counter(label: Self.requests, dimensions: labels, factory: factory)
        }
    }

    /// Records nothing and has nothing to tell.
    package static var unrecorded: SocketMetrics { SocketMetrics(NOOPMetricsHandler.instance) { "" } }

    /// Counts an answer; without a resource it was to something that is no request.
    func answered(_ resource: Resource?, status: Int) {
        counter(resource, status: status).increment()
    }

    /// What counts answers of that status about such a resource; for who has many to count.
    func counter(_ resource: Resource?, status: Int) -> Counter {
        answers.counter(resource?.route ?? Resource.unknown.route, status)
    }

    /// A token is handed out.
    func handsOut(_ token: PublishedToken, at now: Moment) {
        remaining.record(token.life.remaining(at: now).wholeSecondsDown)
    }
}

/// Counters by route and status, each made when it is needed first. There are as many as routes and statuses of ours.
private final class AnswerCounters: Sendable {
    private struct Key: Hashable {
        let route: String
        let status: Int
    }

    private let counters = Mutex<[Key: Counter]>([:])
    private let make: @Sendable (String, Int) -> Counter

    init(_ make: @escaping @Sendable (String, Int) -> Counter) {
        self.make = make
    }

    func counter(_ route: String, _ status: Int) -> Counter {
        counters.withLock { counters in
            let key = Key(route: route, status: status)
            if let counter = counters[key] { return counter }
            let counter = make(route, status)
            counters[key] = counter
            return counter
        }
    }
}

extension Resource {
    /// The path as the API's description has it, with no user in it: fit for a metric's label.
    var route: String {
        switch self {
        case .token: "/v1/users/{user}/token"
        case .refresh: "/v1/users/{user}/refresh"
        case .status: "/v1/users/{user}"
        case .explanation: "/v1/users/{user}/explain"
        case .diagnosis: "/v1/users/{user}/diagnose"
        case .grant: "/v1/users/{user}/grant"
        case .authorizations: "/v1/users/{user}/authorizations"
        case .authorizationLinks: "/v1/users/{user}/authorization-links"
        case .authorization: "/v1/authorizations/{state}"
        case .clients: APIPath.clients
        case .consoleLinks: APIPath.consoleLinks
        case .client: "/v1/clients/{name}"
        case .list: APIPath.allUsers
        case .events: APIPath.events
        case .summary: APIPath.summary
        case .alive: APIPath.alive
        case .ready: APIPath.ready
        case .metrics: APIPath.metrics
        case .unknown, .malformed: "other"
        }
    }
}

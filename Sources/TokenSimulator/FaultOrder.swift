// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// A fault in JSON, as `POST /_sim/faults` takes it and `GET` shows it. Durations are in milliseconds.
///
///     {"mode":"latency","min_ms":50,"max_ms":200}          {"mode":"hold","user":"42"}
///     {"mode":"lifetime","life_ms":2000}                   {"mode":"outage","style":"reset","for_ms":3000}
///     {"mode":"error_page","status":503,"body":"html","retry_after":"5","count":3}
///     {"mode":"refusal","status":400,"code":"invalid_grant","description":"Grant revoked","user":"42"}
///     {"mode":"reset","when":"after","count":1}            {"mode":"raw","text":"HTTP/1.1 200 OK\r\n…"}
struct FaultOrder: Codable, Hashable, Sendable {
    /// The names of the modes.
    enum Mode: String, Codable, Sendable {
        case latency
        case hold
        case lifetime
        case errorPage = "error_page"
        case refusal
        case reset
        case outage
        case raw
    }

    /// What happens.
    var mode: Mode
    /// Whom it strikes; all, where it is missing.
    var user: String?
    /// How many requests it strikes.
    var count: Int?
    /// How long it lasts.
    var forMs: Double?
    /// The latency's lower bound.
    var minMs: Double?
    /// The latency's upper bound; the lower one, where it is missing.
    var maxMs: Double?
    /// How long tokens live.
    var lifeMs: Double?
    /// The status of an error page or a refusal.
    var status: Int?
    /// What an error page is: `html`, `json` or `empty`.
    var body: String?
    /// `Retry-After` of an error page, as it is sent.
    var retryAfter: String?
    /// The code of a refusal.
    var code: String?
    /// The words of a refusal.
    var description: String?
    /// `before` or `after`, for a reset.
    var when: String?
    /// `reset` or `unavailable`, for an outage.
    var style: String?
    /// The bytes of a raw answer.
    var text: String?
    /// Whether the connection ends after a raw answer; it does, where this is missing.
    var closes: Bool?
}

extension FaultOrder {
    /// Whom it strikes.
    var scope: FaultScope { user.map { .account($0) } ?? .all }

    /// The fault that is ordered; says what is missing or makes no sense.
    func fault() throws(SimulatorFailure) -> Fault {
        if let count, count < 1 { throw SimulatorFailure("count must be 1 or more") }
        let duration = try forMs.map { (value) throws(SimulatorFailure) in try milliseconds(value, "for_ms") }
        let fault = Fault(try faultMode(), count: count, duration: duration)
        if case .outage(.reset) = fault.mode, duration == nil, user == nil {
            throw SimulatorFailure("an outage that resets connections needs for_ms: no control request could end it")
        }
        return fault
    }

    private func faultMode() throws(SimulatorFailure) -> Fault.Mode {
        switch mode {
        case .latency:
            let low = try milliseconds(try value(minMs, "min_ms"), "min_ms")
            return .latency(low...max(try milliseconds(maxMs ?? minMs ?? 0, "max_ms"), low))
        case .hold: return .hold
        case .lifetime: return .lifetime(try milliseconds(try value(lifeMs, "life_ms"), "life_ms"))
        case .errorPage: return .errorPage(try errorPage())
        case .refusal:
            return .refusal(
                status: try checked(status ?? 400),
                code: try value(code, "code"),
                description: try value(description, "description")
            )
        case .reset: return .reset(try choice(when ?? ResetPoint.before.rawValue, "when"))
        case .outage: return .outage(try choice(style ?? OutageStyle.unavailable.rawValue, "style"))
        case .raw: return .raw(Array(try value(text, "text").utf8), closes: closes ?? true)
        }
    }

    private func errorPage() throws(SimulatorFailure) -> ErrorPage {
        ErrorPage(
            try checked(status ?? 503),
            body: try choice(body ?? ErrorPage.Body.html.rawValue, "body"),
            retryAfter: retryAfter
        )
    }

    private func value<Value>(_ value: Value?, _ name: String) throws(SimulatorFailure) -> Value {
        guard let value else { throw SimulatorFailure("\(mode.rawValue) needs \(name)") }
        return value
    }

    private func checked(_ status: Int) throws(SimulatorFailure) -> Int {
        guard (200...599).contains(status) else { throw SimulatorFailure("status must be from 200 to 599") }
        return status
    }

    private func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ text: String,
        _ name: String
    ) throws(SimulatorFailure) -> Choice {
        guard let choice = Choice(rawValue: text) else {
            let choices = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            throw SimulatorFailure("\(name) must be one of: \(choices)")
        }
        return choice
    }

    private func milliseconds(_ value: Double, _ name: String) throws(SimulatorFailure) -> Duration {
        guard (0...1e12).contains(value) else { throw SimulatorFailure("\(name) must be from 0 to 1e12") }
        return .milliseconds(value)
    }
}

extension FaultOrder {
    /// A fault that is set, as it is shown.
    init(_ entry: FaultBook.Entry, at now: SimulatorInstant) {
        self.init(mode: .hold)
        if case .account(let user) = entry.scope { self.user = user }
        count = entry.count
        forMs = entry.endsAt.map { Double($0.nanoseconds - now.nanoseconds) / 1e6 }
        describe(entry.mode)
    }

    private mutating func describe(_ fault: Fault.Mode) {
        switch fault {
        case .latency(let range):
            (mode, minMs, maxMs) = (.latency, range.lowerBound / .milliseconds(1), range.upperBound / .milliseconds(1))
        case .hold: mode = .hold
        case .lifetime(let lifetime): (mode, lifeMs) = (.lifetime, lifetime / .milliseconds(1))
        case .errorPage(let page):
            (mode, status, body, retryAfter) = (.errorPage, page.status, page.body.rawValue, page.retryAfter)
        case .refusal(let status, let code, let description):
            (mode, self.status, self.code, self.description) = (.refusal, status, code, description)
        case .reset(let point): (mode, when) = (.reset, point.rawValue)
        case .outage(let style): (mode, self.style) = (.outage, style.rawValue)
        case .raw(let bytes, let closes):
            (mode, text, self.closes) = (.raw, String(decoding: bytes, as: UTF8.self), closes)
        }
    }
}

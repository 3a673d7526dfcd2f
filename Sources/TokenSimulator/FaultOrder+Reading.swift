// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

extension FaultOrder {
    /// The longest reply that can be ordered, in bytes.
    static let sizeLimit = 64 << 20

    /// The fault that is ordered; says what is missing or makes no sense.
    func fault() throws(SimulatorFailure) -> Fault {
        if let count, count < 1 { throw SimulatorFailure("count must be 1 or more") }
        let duration = try forMs.map { (value) throws(SimulatorFailure) in try milliseconds(value, "for_ms") }
        let type = try grantType.map { (text) throws(SimulatorFailure) -> TokenGrantType in
            try choice(text, "grant_type")
        }
        let fault = Fault(try faultMode(), count: count, duration: duration, grantType: type)
        if case .outage(.reset) = fault.mode, duration == nil, user == nil {
            throw SimulatorFailure("an outage that resets connections needs for_ms: no control request could end it")
        }
        if case .certificate = fault.mode, user != nil || count != nil || type != nil {
            throw SimulatorFailure("a certificate is shown to connections, and takes no user, count or grant_type")
        }
        if case .outage = fault.mode, user == nil, type != nil {
            throw SimulatorFailure("an outage strikes whoever asks, and takes no grant_type without a user")
        }
        return fault
    }

    private func faultMode() throws(SimulatorFailure) -> Fault.Mode {
        switch mode {
        case .latency:
            let low = try milliseconds(try value(minMs, "min_ms"), "min_ms")
            return .latency(low...max(try milliseconds(maxMs ?? minMs ?? 0, "max_ms"), low))
        case .hold: return .hold
        case .hang: return .hang(try choice(when ?? ResetPoint.before.rawValue, "when"))
        case .lifetime: return .lifetime(try milliseconds(try value(lifeMs, "life_ms"), "life_ms"))
        case .reset: return .reset(try choice(when ?? ResetPoint.before.rawValue, "when"))
        case .outage: return .outage(try choice(style ?? OutageStyle.unavailable.rawValue, "style"))
        case .certificate: return .certificate(try choice(try value(kind, "kind"), "kind"))
        case .raw: return .raw(Array(try value(text, "text").utf8), closes: closes ?? true)
        case .drip, .lostReply, .truncated: return try delivery()
        case .errorPage, .refusal, .userAgentRefused, .rateLimited, .redirect: return try refusing()
        case .oddLifetime, .malformed, .variant, .huge: return try succeeding()
        case .sameToken, .killsPrevious, .rotation, .otherCustomer, .expiredCode, .flaky: return try behaving()
        }
    }

    private func delivery() throws(SimulatorFailure) -> Fault.Mode {
        switch mode {
        case .drip: .drip(bytes: try size(bytes ?? 1, from: 1), every: try milliseconds(everyMs ?? 100, "every_ms"))
        case .lostReply: .lostReply(sentBytes: try size(bytes ?? 0, from: 0))
        default: .truncated(share: try fraction(share ?? 0.5))
        }
    }

    private func refusing() throws(SimulatorFailure) -> Fault.Mode {
        switch mode {
        case .refusal: return try refusal()
        case .userAgentRefused:
            let page: ErrorPage.Body = try choice(body ?? ErrorPage.Body.html.rawValue, "body")
            guard page == .html || page == .empty else { throw SimulatorFailure("body must be one of: html, empty") }
            return .userAgentRefused(isEmpty: page == .empty)
        case .rateLimited: return .rateLimited(try hint())
        case .redirect:
            let status = status ?? 302
            guard (300...399).contains(status) else { throw SimulatorFailure("status must be from 300 to 399") }
            return .redirect(status: status, location: try line(location ?? "/oauth/moved", "location"))
        default: return .errorPage(try errorPage())
        }
    }

    private func refusal() throws(SimulatorFailure) -> Fault.Mode {
        let code = try value(code, "code")
        return .refusal(
            status: try checked(status ?? RefusalText.status(of: code)),
            code: code,
            description: description ?? RefusalText.description(of: code),
            shape: try choice(shape ?? RefusalShape.tastytrade.rawValue, "shape")
        )
    }

    private func errorPage() throws(SimulatorFailure) -> ErrorPage {
        let page: ErrorPage.Body = try choice(body ?? ErrorPage.Body.html.rawValue, "body")
        return ErrorPage(
            try checked(status ?? (page == .waf ? 403 : 503)),
            body: page,
            retryAfter: try retryAfter.map { (text) throws(SimulatorFailure) in try line(text, "retry_after") }
        )
    }

    private func hint() throws(SimulatorFailure) -> RetryAfterHint {
        switch (retryAfter, retryAfterS, retryAfterDateS) {
        case (nil, nil, nil): return .none
        case (let text?, nil, nil): return .text(try line(text, "retry_after"))
        case (nil, let seconds?, nil): return .seconds(seconds)
        case (nil, nil, let seconds?):
            guard (-1e9...1e9).contains(seconds) else {
                throw SimulatorFailure("retry_after_date_s must be from -1e9 to 1e9")
            }
            return .date(after: .seconds(seconds))
        default: throw SimulatorFailure("retry_after, retry_after_s and retry_after_date_s exclude each other")
        }
    }

    private func succeeding() throws(SimulatorFailure) -> Fault.Mode {
        switch mode {
        case .oddLifetime: .oddLifetime(try choice(try value(kind, "kind"), "kind"))
        case .malformed: .malformed(try choice(try value(kind, "kind"), "kind"))
        case .variant: .variant(try choice(try value(kind, "kind"), "kind"))
        default:
            .huge(
                bytes: try size(bytes ?? 10 << 20, from: 0),
                try choice(part ?? HugePart.body.rawValue, "part")
            )
        }
    }

    private func behaving() throws(SimulatorFailure) -> Fault.Mode {
        switch mode {
        case .sameToken: .sameToken(try choice(style ?? Repetition.remaining.rawValue, "style"))
        case .killsPrevious: .killsPrevious
        case .rotation: .rotation(try rotation())
        case .otherCustomer: .otherCustomer(customer ?? "another")
        case .expiredCode: .expiredCode
        default: .flaky(try flakiness())
        }
    }

    private func rotation() throws(SimulatorFailure) -> Rotation {
        switch style ?? "strict" {
        case "strict": return .strict
        case "grace": return .grace(try milliseconds(graceMs ?? 30_000, "grace_ms"))
        case "silent": return .silent
        default: throw SimulatorFailure("style must be one of: strict, grace, silent")
        }
    }

    private func flakiness() throws(SimulatorFailure) -> Flakiness {
        var flakiness = Flakiness(share: try fraction(share ?? 0.1))
        if let kinds {
            guard !kinds.isEmpty else { throw SimulatorFailure("kinds must not be empty") }
            flakiness.kinds = try kinds.map { (kind) throws(SimulatorFailure) in try choice(kind, "kinds") }
        }
        return flakiness
    }
}

extension FaultOrder {
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

    private func size(_ value: Int, from least: Int) throws(SimulatorFailure) -> Int {
        guard (least...Self.sizeLimit).contains(value) else {
            throw SimulatorFailure("bytes must be from \(least) to \(Self.sizeLimit)")
        }
        return value
    }

    private func fraction(_ value: Double) throws(SimulatorFailure) -> Double {
        guard (0...1).contains(value) else { throw SimulatorFailure("share must be from 0 to 1") }
        return value
    }

    /// A header field's value: what would end the line is the business of `raw`.
    private func line(_ text: String, _ name: String) throws(SimulatorFailure) -> String {
        guard text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
            throw SimulatorFailure("\(name) must be one line")
        }
        return text
    }
}

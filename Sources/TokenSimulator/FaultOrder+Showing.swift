// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

extension FaultOrder {
    /// A fault that is set, as it is shown.
    init(_ entry: FaultBook.Entry, at now: SimulatorInstant) {
        self.init(mode: .hold)
        if case .account(let user) = entry.scope { self.user = user }
        count = entry.count
        grantType = entry.grantType?.rawValue
        forMs = entry.endsAt.map { Double($0.nanoseconds - now.nanoseconds) / 1e6 }
        describe(entry.mode)
    }

    private mutating func describe(_ fault: Fault.Mode) {
        switch fault {
        case .latency(let range): (mode, minMs, maxMs) = (.latency, range.lowerBound.inMs, range.upperBound.inMs)
        case .hold: mode = .hold
        case .hang(let point): (mode, when) = (.hang, point.rawValue)
        case .lifetime(let lifetime): (mode, lifeMs) = (.lifetime, lifetime.inMs)
        case .reset(let point): (mode, when) = (.reset, point.rawValue)
        case .outage(let style): (mode, self.style) = (.outage, style.rawValue)
        case .certificate(let kind): (mode, self.kind) = (.certificate, kind.rawValue)
        case .raw(let bytes, let closes):
            (mode, text, self.closes) = (.raw, String(decoding: bytes, as: UTF8.self), closes)
        case .lostReply(let sent): (mode, bytes) = (.lostReply, sent)
        case .truncated(let share): (mode, self.share) = (.truncated, share)
        case .drip(let bytes, let pause): (mode, self.bytes, everyMs) = (.drip, bytes, pause.inMs)
        case .errorPage, .refusal, .userAgentRefused, .rateLimited, .redirect: describeRefusal(fault)
        default: describeSuccess(fault)
        }
    }

    private mutating func describeRefusal(_ fault: Fault.Mode) {
        switch fault {
        case .errorPage(let page):
            (mode, status, body, retryAfter) = (.errorPage, page.status, page.body.rawValue, page.retryAfter)
        case .refusal(let status, let code, let description, let shape):
            (mode, self.status, self.code, self.description) = (.refusal, status, code, description)
            self.shape = shape.rawValue
        case .userAgentRefused(let isEmpty):
            mode = .userAgentRefused
            body = (isEmpty ? ErrorPage.Body.empty : .html).rawValue
        case .rateLimited(let hint): describe(hint)
        case .redirect(let status, let location): (mode, self.status, self.location) = (.redirect, status, location)
        default: break
        }
    }

    private mutating func describe(_ hint: RetryAfterHint) {
        mode = .rateLimited
        switch hint {
        case .none: break
        case .seconds(let seconds): retryAfterS = seconds
        case .date(let delay): retryAfterDateS = delay / .seconds(1)
        case .text(let text): retryAfter = text
        }
    }

    private mutating func describeSuccess(_ fault: Fault.Mode) {
        switch fault {
        case .oddLifetime(let kind): (mode, self.kind) = (.oddLifetime, kind.rawValue)
        case .malformed(let kind): (mode, self.kind) = (.malformed, kind.rawValue)
        case .variant(let kind): (mode, self.kind) = (.variant, kind.rawValue)
        case .huge(let bytes, let part): (mode, self.bytes, self.part) = (.huge, bytes, part.rawValue)
        case .sameToken(let repetition): (mode, style) = (.sameToken, repetition.rawValue)
        case .killsPrevious: mode = .killsPrevious
        case .rotation(.strict): (mode, style) = (.rotation, "strict")
        case .rotation(.grace(let grace)): (mode, style, graceMs) = (.rotation, "grace", grace.inMs)
        case .rotation(.silent): (mode, style) = (.rotation, "silent")
        case .otherCustomer(let customer): (mode, self.customer) = (.otherCustomer, customer)
        case .expiredCode: mode = .expiredCode
        case .flaky(let flakiness):
            (mode, share, kinds) = (.flaky, flakiness.share, flakiness.kinds.map(\.rawValue))
        default: break
        }
    }
}

extension Duration {
    /// In milliseconds.
    fileprivate var inMs: Double { self / .milliseconds(1) }
}

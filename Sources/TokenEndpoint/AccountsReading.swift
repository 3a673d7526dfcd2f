// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// A reply to the question for accounts. Of the list only the levels of authority are read.
struct AccountsReading {
    private let reply: TokenReply
    private let receivedAt: WallTime

    /// Takes the reply and when it came, which `Retry-After` as a date is counted from.
    init(_ reply: TokenReply, receivedAt: WallTime) {
        self.reply = reply
        self.receivedAt = receivedAt
    }

    /// What a call without a whole reply means: of an error page beyond the bound the status says enough.
    static func failure(
        _ failure: RefreshFailure,
        in bareReply: TokenReply?,
        at receivedAt: WallTime
    ) -> AccountProbeFailure {
        switch failure.kind {
        case .nameResolution, .connect, .tls: return .notReached(failure.text)
        case .malformed:
            return bareReply.flatMap { AccountsReading($0, receivedAt: receivedAt).refusal() } ?? .malformed
        default: return .noAnswer(failure.text)
        }
    }

    /// Counts the accounts.
    func summary() throws(AccountProbeFailure) -> AccountSummary {
        if let refusal = refusal() { throw refusal }
        guard let items = JSONTreeReader.read(reply.body)?.members?["data"]?.members?["items"]?.elements else {
            throw .malformed
        }
        // An item that is no object at all is no account: then this is another list than the one asked for.
        guard items.allSatisfy({ $0.members != nil }) else { throw .malformed }
        return AccountSummary(
            items.map { $0.members?["authority-level"]?.text.flatMap(AccountSummary.Authority.init) ?? .unknown }
        )
    }

    /// What a reply that is no success means; nil for a success.
    func refusal() -> AccountProbeFailure? {
        switch reply.status {
        case 200..<300: nil
        case 300..<400: .redirected
        case 429: .throttled(retryAfter: reply.retryAfter.flatMap { RetryAfter.wait($0, from: receivedAt) })
        case 408, 425, 500...: .serverFault(status: reply.status)
        case 400..<500 where !hasVerdict: .gateway(status: reply.status)
        case 401: .tokenNotAccepted
        case 403: .notPermitted
        default: .unexpected(status: reply.status)
        }
    }

    private var hasVerdict: Bool {
        guard let object = JSONReader.object(reply.body), object.isWhole else { return false }
        return !ErrorVerdict(object.members, hiding: []).isEmpty
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// What an error body says, read from every place where the wire is known to put it (fact sheet sections 4.3 and 8).
struct ErrorVerdict {
    /// The code: `error_code`, `error` as a text, `error.code` as a text or number; bounded and escaped.
    let code: String?
    /// The words: `error_description`, `error.message`, `message`; bounded, escaped, and without what was sent.
    let prose: String?

    /// Reads the members of an error body; `secrets` are what was sent and must not be shown.
    init(_ members: [String: JSONValue], hiding secrets: [Secret]) {
        let envelope = members["error"]?.members
        let code = members["error_code"]?.text ?? members["error"]?.text ?? envelope?["code"].flatMap(Self.code)
        let prose = members["error_description"]?.text ?? envelope?["message"]?.text ?? members["message"]?.text
        self.code = code.map { SafeText(foreign: $0, hiding: secrets, toBytes: SafeText.codeLimit).text }
        self.prose = prose.map { SafeText(foreign: $0, hiding: secrets).text }
    }

    /// Whether the body says anything at all.
    var isEmpty: Bool { code == nil && prose == nil }

    private static func code(_ value: JSONValue) -> String? {
        if case .number(let digits) = value { digits } else { value.text }
    }
}

/// A reply that is no 2xx, told by the shape of its body: a code in JSON is a verdict, anything else is transport (fact
/// sheet section 13).
struct EndpointError {
    private let reply: TokenReply
    private let receivedAt: WallTime

    /// Takes the reply and when it came, which `Retry-After` as a date is counted from.
    init(_ reply: TokenReply, receivedAt: WallTime) {
        self.reply = reply
        self.receivedAt = receivedAt
    }

    /// What the reply means for the grant (hard case H11).
    func failure(for call: TokenCall) -> RefreshFailure {
        switch reply.status {
        case 300..<400:
            return fault(.redirected, "the endpoint redirects, and redirects are not followed; is the address right?")
        case 429:
            return fault(.throttled, verdict(call)?.prose ?? "the endpoint asks for fewer calls")
        case 408, 425, 500...:
            return fault(.serverFault, verdict(call)?.prose ?? "the endpoint, or a gateway before it, is at fault")
        case 400..<500:
            return refusal(call)
        default:
            return fault(.malformed, "the endpoint answered with a status that has no meaning")
        }
    }

    private func refusal(_ call: TokenCall) -> RefreshFailure {
        guard let verdict = verdict(call), !verdict.isEmpty else {
            return fault(.gateway, "a gateway refused the call, or the User-Agent: the reply has no code in JSON")
        }
        let prose = verdict.prose
        switch verdict.code {
        case "invalid_grant":
            let words = call.isExchange ? Self.codeWords(prose) : prose ?? "the grant was refused"
            return fault(.grantRefused, words, code: verdict.code)
        case "invalid_client", "unauthorized_client":
            return fault(.clientRefused, prose ?? "the OAuth client was refused", code: verdict.code)
        default:
            let kind: RefreshFailure.Kind = speaksOfUnknownClient(verdict) ? .clientRefused : .requestRejected
            return fault(kind, prose ?? "the request was rejected", code: verdict.code)
        }
    }

    /// `invalid_grant` for a code speaks of the code, and of no grant that anybody has (RFC 6749, section 5.2).
    private static func codeWords(_ prose: String?) -> String {
        "the authorization code was not accepted"
            + (prose.map { ": \($0)" } ?? ": it is spent, expired or another client's")
    }

    /// "404 Client not found": the OAuth client is unknown, and every account of it shares the fault.
    private func speaksOfUnknownClient(_ verdict: ErrorVerdict) -> Bool {
        guard reply.status == 404 else { return false }
        let texts = [verdict.code, verdict.prose].compactMap { $0?.lowercased().replacing("_", with: " ") }
        return texts.contains { $0.contains("client not found") }
    }

    private func verdict(_ call: TokenCall) -> ErrorVerdict? {
        guard let object = JSONReader.object(reply.body), object.isWhole else { return nil }
        return ErrorVerdict(object.members, hiding: call.secrets)
    }

    private func fault(_ kind: RefreshFailure.Kind, _ text: String, code: String? = nil) -> RefreshFailure {
        RefreshFailure(kind, httpStatus: reply.status, code: code, text: text, retryAfter: retryAfter(kind))
    }

    private func retryAfter(_ kind: RefreshFailure.Kind) -> Duration? {
        guard kind == .throttled || kind == .serverFault else { return nil }
        return reply.retryAfter.flatMap { RetryAfter.wait($0, from: receivedAt) }
    }
}

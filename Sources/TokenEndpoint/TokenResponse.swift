// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// The body of a 2xx, read strictly but with tolerance where the wire is known to vary (fact sheet section 4.2; hard
/// case H9).
struct TokenResponse {
    /// What the body gives.
    enum Reading {
        /// Tokens.
        case answer(TokenAnswer)
        /// Nothing to use; why in words, the endpoint's code where there is one, and a new refresh token if one was
        /// readable all the same.
        case unusable(reason: String, code: String?, newRefreshToken: Secret?)
    }

    /// How long a token may be, in bytes (fact sheet section 5: several KiB are to be allowed for).
    static let tokenLimit = 16_384
    /// How long a token lives where the reply does not say: fifteen minutes, never an hour (fact sheet section 13).
    static let usualLifetime: Duration = .seconds(900)

    private struct Unusable: Error {
        let reason: String
        var code: String?
    }

    private let body: [UInt8]

    /// Takes the body.
    init(_ body: [UInt8]) {
        self.body = body
    }

    /// Reads the body.
    ///
    /// - Parameters:
    ///   - call: what was sent; a refresh token that comes back unchanged is no new one.
    ///   - sentAt: when it was sent; the token's life counts from then.
    ///   - bounds: what the named lifetime is clamped to.
    /// - Returns: tokens, or why there are none.
    func read(call: TokenCall, sentAt: Moment, bounds: ClosedRange<Duration>) -> Reading {
        guard let object = JSONReader.object(body) else {
            let what = body.isEmpty ? "an empty reply" : "a reply that is no JSON object"
            return .unusable(reason: "the endpoint sent \(what)", code: nil, newRefreshToken: nil)
        }
        let newRefreshToken = Self.newRefreshToken(object.members, sent: call.presented)
        do throws(Unusable) {
            guard object.isWhole else { throw Unusable(reason: "the reply is no valid JSON, or broke off") }
            try Self.checkForVerdict(object.members, call: call)
            return .answer(
                TokenAnswer(
                    accessToken: try Self.accessToken(object.members),
                    tokenType: try Self.tokenType(object.members),
                    life: TokenLife(sentAt: sentAt, lifetime: try Self.lifetime(object.members, within: bounds)),
                    newRefreshToken: try newRefreshToken.get()
                )
            )
        } catch {
            return .unusable(reason: error.reason, code: error.code, newRefreshToken: try? newRefreshToken.get())
        }
    }

    /// A new refresh token in a body that may break off anywhere; nil if none can be read.
    func newRefreshToken(for call: TokenCall) -> Secret? {
        JSONReader.object(body).flatMap { try? Self.newRefreshToken($0.members, sent: call.presented).get() }
    }
}

extension TokenResponse {
    /// An error in a 2xx is no verdict on the grant, and no success either.
    private static func checkForVerdict(_ members: [String: JSONValue], call: TokenCall) throws(Unusable) {
        let verdict = ErrorVerdict(members, hiding: call.secrets)
        guard let code = verdict.code else { return }
        let prose = verdict.prose.map { ": \($0)" } ?? ""
        throw Unusable(reason: "the endpoint reported success and an error\(prose)", code: code)
    }

    private static func accessToken(_ members: [String: JSONValue]) throws(Unusable) -> Secret {
        guard let value = members["access_token"], value != .null, value != .string("") else {
            throw Unusable(reason: "the reply holds no access_token")
        }
        guard let text = value.text, isToken(text) else {
            throw Unusable(reason: "the reply's access_token is no token")
        }
        return Secret(text)
    }

    private static func newRefreshToken(
        _ members: [String: JSONValue],
        sent: Secret
    ) -> Result<Secret?, Unusable> {
        guard let value = members["refresh_token"], value != .null, value != .string("") else { return .success(nil) }
        guard let text = value.text, isToken(text) else {
            return .failure(Unusable(reason: "the reply's refresh_token is no token"))
        }
        return .success(text == sent.reveal() ? nil : Secret(text))
    }

    private static func tokenType(_ members: [String: JSONValue]) throws(Unusable) -> String {
        switch members["token_type"] {
        case nil, .null, .string(""): return "Bearer"
        case .string(let type) where type.lowercased() == "bearer": return "Bearer"
        default: throw Unusable(reason: "the reply's token_type is not Bearer")
        }
    }

    private static func lifetime(
        _ members: [String: JSONValue],
        within bounds: ClosedRange<Duration>
    ) throws(Unusable) -> Duration {
        let digits: String
        switch members["expires_in"] {
        case nil, .null: return clamp(usualLifetime, to: bounds)
        case .number(let text): digits = text
        case .string(let text) where JSONReader.isNumber(text): digits = text
        default: throw Unusable(reason: "the reply's expires_in is no number")
        }
        guard let seconds = Double(digits), seconds > 0 else {
            throw Unusable(reason: "the reply's expires_in is not positive")
        }
        // Clamped before it becomes a Duration, which cannot hold every Double.
        return clamp(.seconds(min(seconds, 1e9)), to: bounds)
    }

    private static func clamp(_ lifetime: Duration, to bounds: ClosedRange<Duration>) -> Duration {
        min(max(lifetime, bounds.lowerBound), bounds.upperBound)
    }

    /// Visible ASCII, so that it fits a header field (RFC 6750 section 2.1), and not absurdly long.
    private static func isToken(_ text: String) -> Bool {
        text.utf8.count <= tokenLimit && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }
}

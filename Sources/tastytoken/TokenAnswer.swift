// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import SocketAPI

/// A token as the daemon gave it.
struct TokenAnswer {
    /// The reply's fields.
    let token: TokenReply
    /// The reply's body, to the letter.
    let json: String
    /// Why the token lives shorter than was asked for, if it does; holds a `ProblemCode`.
    let degraded: String?

    /// Reads a reply; fails with what the daemon said where it gave no token.
    init(_ reply: HTTPReply, of user: String) throws(Failure) {
        let flat = reply.status == 200 ? TokenReply(flat: reply.body) : nil
        self.token = if let flat { flat } else { try reply.decoded(TokenReply.self, of: user) }
        self.json = reply.text
        self.degraded = reply[HeaderName.degraded]
    }

    /// What to tell about a token that lives shorter than was asked for.
    ///
    /// - Parameters:
    ///   - user: whose token it is.
    ///   - wish: the seconds that were asked for; nil if the daemon was left to choose.
    /// - Returns: the words; nil for a token that lives long enough.
    func shortcoming(of user: String, wishing wish: Int? = nil) -> String? {
        let fact = "the token of user \(Failure.shown(user)) lives for \(token.expiresIn) s only"
        if let degraded { return "\(fact) (\(Failure.shown(degraded)))" }
        guard let wish, token.expiresIn < wish else { return nil }
        return "\(fact), not for \(wish) s: no token is replaced that has half of its life left"
    }

    /// The base of the API that takes the token, if it is one that can stand in a variable and on a line.
    func presentableAPIURL() throws(Failure) -> String {
        guard Self.isPresentable(token.apiURL) else { throw Self.unusable }
        return token.apiURL
    }

    /// The token, if it is one that can stand in a header and on a line (RFC 6749 appendix A.12): whatever else came
    /// would be passed on into a command or a request by whoever trusts this tool.
    func presentableToken() throws(Failure) -> String {
        guard Self.isPresentable(token.accessToken), Self.isPresentable(token.tokenType) else { throw Self.unusable }
        return token.accessToken
    }

    private static func isPresentable(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
    }

    private static let unusable = Failure(
        .noDaemon,
        "the daemon's reply holds no token that could be used; see the daemon's log"
    )
}

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

    /// What to tell about a token that lives shorter than was asked for; nil for any other.
    func shortcoming(of user: String) -> String? {
        degraded.map {
            "the token of user \(Failure.shown(user)) lives for \(token.expiresIn) s only (\(Failure.shown($0)))"
        }
    }

    /// The token, if it is one that can stand in a header and on a line (RFC 6749 appendix A.12): whatever else came
    /// would be passed on into a command or a request by whoever trusts this tool.
    func presentableToken() throws(Failure) -> String {
        let type = token.tokenType.utf8
        guard !token.accessToken.isEmpty, token.accessToken.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }),
            type.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        else {
            throw Failure(.noDaemon, "the daemon's reply holds no token that could be used; see the daemon's log")
        }
        return token.accessToken
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import TokenCore

/// Exchanges codes as the test says, one after the other. A code that is sent twice is a mistake, and traps.
actor ScriptedExchange: CodeExchanging {
    /// One exchange, open until the test answers it.
    struct Call: Sendable {
        let code: Secret
        let redirectURI: String
        let client: ClientRegistration
        fileprivate let reply: Mailbox<Result<CodeAnswer, RefreshFailure>>

        /// Gives a grant with that refresh token.
        func answer(_ refreshToken: String, at now: Moment) {
            reply.send(
                .success(
                    CodeAnswer(
                        accessToken: Secret("first-of-\(refreshToken)"),
                        life: TokenLife(sentAt: now, lifetime: .seconds(900)),
                        refreshToken: Secret(refreshToken)
                    )
                )
            )
        }

        func fail(_ failure: RefreshFailure) { reply.send(.failure(failure)) }
    }

    /// Every call, as it comes.
    nonisolated let calls = Mailbox<Call>()
    private var spent: Set<Secret> = []

    func exchange(
        _ code: Secret,
        redirectURI: String,
        for client: ClientRegistration
    ) async throws(RefreshFailure) -> CodeAnswer {
        let reply = Mailbox<Result<CodeAnswer, RefreshFailure>>()
        calls.send(Call(code: code, redirectURI: redirectURI, client: client, reply: reply))
        let result = await reply.next()
        let reachedTheEndpoint: Bool =
            if case .failure(let failure) = result { ![.connect, .tls, .nameResolution].contains(failure.kind) } else {
                true
            }
        precondition(!reachedTheEndpoint || spent.insert(code).inserted, "a code was sent twice")
        return try result.get()
    }
}

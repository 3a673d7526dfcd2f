// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import TokenCore

/// A token endpoint whose every answer the test writes. A second call for a refresh token that is in flight already is
/// a mistake of the engine's, and traps.
package final class ScriptedEndpoint: TokenRequesting {
    /// One call, open until the test answers it.
    package struct Call: Sendable {
        package let refreshToken: Secret
        package let client: ClientRegistration
        package let account: AccountAtHand
        fileprivate let reply: Mailbox<Result<TokenAnswer, RefreshFailure>>

        package func answer(_ answer: TokenAnswer) {
            reply.send(.success(answer))
        }

        package func fail(_ failure: RefreshFailure) {
            reply.send(.failure(failure))
        }
    }

    private let calls = Mailbox<Call>()
    private let open = OpenCalls()

    package init() {}

    package func refresh(
        _ refreshToken: Secret,
        of account: AccountAtHand,
        for client: ClientRegistration
    ) async throws(RefreshFailure) -> TokenAnswer {
        let isFirst = await open.begin(refreshToken)
        precondition(isFirst, "two refreshes of one grant at once")
        let reply = Mailbox<Result<TokenAnswer, RefreshFailure>>()
        calls.send(Call(refreshToken: refreshToken, client: client, account: account, reply: reply))
        let result = await reply.next()
        await open.end(refreshToken)
        return try result.get()
    }

    /// The next call that the engine makes.
    package func nextCall() async -> Call {
        await calls.next()
    }

    /// The next call, with `turn` repeated until there is one: for calls that take time to come due.
    package func nextCallWhile(_ turn: () async -> Void) async -> Call {
        while calls.count == 0, !Task.isCancelled { await turn() }
        return await calls.next()
    }

    /// How many calls nobody has looked at yet.
    package var unseen: Int { calls.count }
}

private actor OpenCalls {
    private var tokens: Set<Secret> = []

    func begin(_ token: Secret) -> Bool {
        tokens.insert(token).inserted
    }

    func end(_ token: Secret) {
        tokens.remove(token)
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import SocketAPI
import TokenCore

/// The answers of the routes that send people to TastyTrade and take them back (product.md, Socket API).
enum AuthorizationReplies {
    /// `POST authorizations`: where to send the person.
    static func begun(_ user: UserID, with client: String?, _ authorizing: any Authorizing) async -> Reply {
        await EnrollmentReplies.reply { () async throws(EnrollmentFailure) in
            let start = try await authorizing.beginAuthorization(of: user, with: client, from: .socket)
            var text = JSONText()
            text.add(EnrollmentField.authorizationURL, start.url.reveal())
            text.add(EnrollmentField.state, start.state.reveal())
            text.add(EnrollmentField.expiresAt, Timestamp.text(microseconds: start.expiresAt.microseconds))
            text.close()
            return .json(text.bytes)
        }
    }

    /// `POST authorizations/{state}`: how the account stands that it was about.
    ///
    /// - Parameters:
    ///   - state: the state that came back.
    ///   - end: what came back with it.
    ///   - isAllowed: whether the caller may connect that account.
    ///   - caller: who asks.
    ///   - authorizing: who finishes it.
    ///   - serving: who knows how accounts stand.
    /// - Returns: the answer. A caller who may not connect the account spends nothing.
    static func finished(
        _ state: Secret,
        with end: AuthorizationEnd,
        isAllowed: @Sendable (UserID) -> Bool,
        _ caller: Caller,
        _ authorizing: any Authorizing,
        _ serving: any TokenServing
    ) async -> Reply {
        await EnrollmentReplies.reply { () async throws(EnrollmentFailure) in
            let user = try await authorizing.authorization(inState: state, from: .socket).user
            guard isAllowed(user) else { return Dispatch.forbidden(caller) }
            let notes = try await authorizing.finishAuthorization(inState: state, with: end, from: .socket).notes
            return await EnrollmentReplies.standing(of: user, notes, serving)
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import GrantInspection
import Logging
package import TokenCore

/// Taking people back.
extension CodeFlow: Authorizing {
    /// See ``Authorizing/authorization(inState:from:)``.
    package func authorization(
        inState state: Secret,
        from place: AuthorizationPlace
    ) async throws(EnrollmentFailure) -> AuthorizationSubject {
        let hash = secrets.hash(of: state)
        if let done = doneBefore(hash, place) { return done.subject }
        let pending = try await pending(hash, from: place)
        return subject(pending.user, try await connector.client(for: pending.user, named: pending.clientName))
    }

    /// See ``Authorizing/finishAuthorization(inState:with:from:)``.
    package func finishAuthorization(
        inState state: Secret,
        with end: AuthorizationEnd,
        from place: AuthorizationPlace
    ) async throws(EnrollmentFailure) -> (subject: AuthorizationSubject, notes: [String]) {
        let hash = secrets.hash(of: state)
        if let done = doneBefore(hash, place) { return try await done.work.value.get() }
        let pending: PendingAuthorization
        do throws(EnrollmentFailure) {
            pending = try await self.pending(hash, from: place)
        } catch {
            // Spent meanwhile, by this browser's own other click perhaps.
            guard let done = doneBefore(hash, place) else { throw error }
            return try await done.work.value.get()
        }
        let client = try await connector.client(for: pending.user, named: pending.clientName)
        // Another one may have come while those were looked up.
        if let done = doneBefore(hash, place) { return try await done.work.value.get() }
        let subject = subject(pending.user, client)
        // Not of the caller's task: what TastyTrade was asked for has to be stored, even if nobody waits any more.
        let work = Task { await self.finish(pending, with: end, subject) }
        if case .browser(let browser) = pending.origin {
            finished.add(hash, of: browser, subject, work, at: clock())
        }
        return try await work.value.get()
    }

    private func doneBefore(
        _ state: SecretHash,
        _ place: AuthorizationPlace
    ) -> (subject: AuthorizationSubject, work: RepeatedAnswers<Finish>.Work)? {
        guard case .browser(let browser) = origin(of: place) else { return nil }
        return finished.find(state, of: browser, at: clock())
    }

    /// What was begun, if it is to end here.
    private func pending(
        _ state: SecretHash,
        from place: AuthorizationPlace
    ) async throws(EnrollmentFailure) -> PendingAuthorization {
        var known = obtained.find(state, at: clock())?.authorization
        if known == nil { known = try await peek(state) }
        guard let known else { throw .stateIsNone }
        guard known.origin == origin(of: place) else { throw .stateIsElsewhere(known.origin, place) }
        return known
    }

    private static let authorization = "The authorization"

    private func peek(_ state: SecretHash) async throws(EnrollmentFailure) -> PendingAuthorization? {
        try await noted(Self.authorization, over: .stateIsOver) { store async throws(StoreFailure) in
            try await store.peek(state)
        }
    }

    private func finish(
        _ pending: PendingAuthorization,
        with end: AuthorizationEnd,
        _ subject: AuthorizationSubject
    ) async -> Result<Finish, EnrollmentFailure> {
        do throws(EnrollmentFailure) {
            let notes =
                switch end {
                case .code(let code): try await connect(pending, with: code)
                case .error(let error): throw try await refusal(pending, error, subject)
                }
            obtained.remove(pending.stateHash)
            return .success((subject, notes))
        } catch {
            // What may go better in a moment is tried again by whoever asks again; all else is told again.
            let isLost = lost.remove(pending.stateHash) != nil
            switch error.kind {
            case .tooSoon where !isLost, .unavailable where !isLost:
                if case .browser(let browser) = pending.origin { finished.remove(pending.stateHash, of: browser) }
            default: obtained.remove(pending.stateHash)
            }
            return .failure(error)
        }
    }

    private func connect(
        _ pending: PendingAuthorization,
        with code: Secret
    ) async throws(EnrollmentFailure) -> [String] {
        try await connector.connect(
            pending.user,
            of: pending.clientName
        ) { [self] client async throws(EnrollmentFailure) in
            try await grant(for: pending, code, client)
        }
    }

    /// The grant that a code gives; or gave, where nobody could say then whether it is good.
    private func grant(
        for pending: PendingAuthorization,
        _ code: Secret,
        _ client: ChosenClient
    ) async throws(EnrollmentFailure) -> Secret {
        let before = obtained.find(pending.stateHash, at: clock())
        if let token = before?.token { return token }
        try await connector.expectCalls(of: client)
        if before == nil { try await spend(pending) }
        let token = try await exchange(code, for: pending, client)
        obtained.keep(token, for: pending, at: clock())
        return token
    }

    private func spend(_ pending: PendingAuthorization) async throws(EnrollmentFailure) {
        let taker = secrets.hash(of: secrets.makeToken())
        let taken = try await noted(Self.authorization, over: .stateIsOver) { store async throws(StoreFailure) in
            try await store.take(pending.stateHash, as: taker)
        }
        guard taken != nil else { throw .stateIsNone }
    }

    private func exchange(
        _ code: Secret,
        for pending: PendingAuthorization,
        _ client: ChosenClient
    ) async throws(EnrollmentFailure) -> Secret {
        do throws(RefreshFailure) {
            return try await connector.calling(for: pending.user, client) {
                [endpoint] () async throws(RefreshFailure) in
                try await endpoint.exchange(code, redirectURI: pending.redirectURI, for: client.registration)
            }
            .refreshToken
        } catch {
            // An answer that is no good otherwise may have brought a grant all the same; the proof will tell.
            if let token = error.newRefreshToken { return token }
            logger.notice(
                "a code was not exchanged, and nothing is connected",
                metadata: [
                    LogKey.user: "\(pending.user)", LogKey.event: "authorization.failed",
                    LogKey.client: "\(client.registration.name)", LogKey.errorCode: "\(error.kind.rawValue)",
                    LogKey.error: "\(error)",
                ]
            )
            if error.wasSent {
                lost.insert(pending.stateHash)
            } else {
                obtained.keep(nil, for: pending, at: clock())
            }
            throw EnrollmentFailure(ofExchange: error, of: client.registration)
        }
    }

    /// TastyTrade, or the person there, said no.
    private func refusal(
        _ pending: PendingAuthorization,
        _ error: String,
        _ subject: AuthorizationSubject
    ) async throws(EnrollmentFailure) -> EnrollmentFailure {
        // What is kept was spent when its code came.
        if obtained.find(pending.stateHash, at: clock()) == nil { try await spend(pending) }
        logger.notice(
            "an account was not connected: TastyTrade sent its owner back without a code",
            metadata: [
                LogKey.user: "\(pending.user)", LogKey.event: "authorization.failed",
                LogKey.errorCode: "\(SafeText(foreign: error).text)",
            ]
        )
        return EnrollmentFailure(
            .grantRefused,
            Explanation(ofAuthorizationError: error, in: subject.environment, for: subject.client)
        )
    }
}

extension PendingAuthorization {
    fileprivate var clientName: String { client ?? ClientRegistration.configuredName }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Synchronization
import TokenCore

/// Authorizations and links in memory, for several daemons; it fails when told to.
final class AuthorizationTableDouble: AuthorizationStoring {
    private struct State {
        var authorizations: [SecretHash: PendingAuthorization] = [:]
        var links: [SecretHash: AuthorizationLink] = [:]
        var isOver = false
        var failure: StoreFailure?
        var refusal: AuthorizationRefusal?
    }

    private let state = Mutex(State())

    /// What is noted of people who were sent away.
    var begun: [PendingAuthorization] { state.withLock { Array($0.authorizations.values) } }
    /// How many links there are.
    var links: Int { state.withLock { $0.links.count } }
    /// From now on the time of all that was noted is over.
    func expire() { state.withLock { $0.isOver = true } }
    /// Every call fails with it, until it is nil again.
    func fail(with failure: StoreFailure?) { state.withLock { $0.failure = failure } }
    /// Nothing is noted, until it is nil again.
    func refuse(with refusal: AuthorizationRefusal?) { state.withLock { $0.refusal = refusal } }

    private func looked<Value>(_ body: (inout State) -> Value) throws(StoreFailure) -> Value {
        let result: Result<Value, StoreFailure> = state.withLock { state in
            state.failure.map(Result.failure) ?? .success(body(&state))
        }
        return try result.get()
    }

    func begin(
        _ authorization: PendingAuthorization
    ) async throws(StoreFailure) -> Result<Void, AuthorizationRefusal> {
        try looked { state in
            if let refusal = state.refusal { return .failure(refusal) }
            state.authorizations[authorization.stateHash] = authorization
            return .success(())
        }
    }

    func begin(
        _ authorization: PendingAuthorization,
        spending link: SecretHash
    ) async throws(StoreFailure) -> Result<Void, AuthorizationRefusal> {
        try looked { state in
            if let refusal = state.refusal { return .failure(refusal) }
            guard !state.isOver, state.links.removeValue(forKey: link) != nil else { return .failure(.linkIsNone) }
            state.authorizations[authorization.stateHash] = authorization
            return .success(())
        }
    }

    func peek(_ stateHash: SecretHash) async throws(StoreFailure) -> Noted<PendingAuthorization>? {
        try looked { state in state.authorizations[stateHash].map { Noted($0, isExpired: state.isOver) } }
    }

    func take(
        _ stateHash: SecretHash,
        as taker: SecretHash
    ) async throws(StoreFailure) -> Noted<PendingAuthorization>? {
        try looked { state in
            state.authorizations.removeValue(forKey: stateHash).map { Noted($0, isExpired: state.isOver) }
        }
    }

    func putLink(_ link: AuthorizationLink) async throws(StoreFailure) -> Result<Void, AuthorizationRefusal> {
        try looked { state in
            if let refusal = state.refusal { return .failure(refusal) }
            state.links[link.hash] = link
            return .success(())
        }
    }

    func peekLink(_ hash: SecretHash) async throws(StoreFailure) -> Noted<AuthorizationLink>? {
        try looked { state in state.links[hash].map { Noted($0, isExpired: state.isOver) } }
    }
}

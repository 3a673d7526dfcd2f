// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Synchronization
package import TokenCore

/// Connects accounts as a test says, and tells what it was asked for.
package final class EnrollingDouble: Enrolling {
    /// What was asked for, with the secrets that were handed in.
    package enum Request: Hashable, Sendable {
        case connect(UserID, Secret, String?)
        case disconnect(UserID)
        case put(ClientDraft)
        case removeClient(String)
    }

    private struct State {
        var failure: EnrollmentFailure?
        var notes: [String] = []
        var clients: [ClientListing] = []
        var isHeld = false
    }

    private let state = Mutex(State())
    /// How a call that was held came to its end.
    package enum End: Hashable, Sendable {
        case finished
        case cancelled
    }

    private let gate = Mailbox<Void>()
    /// How each call that was held ended.
    package let ends = Mailbox<End>()
    /// Every call, as it comes.
    package let requests = Mailbox<Request>()

    package init() {}

    /// Every call fails with it, until it is nil again.
    package func fail(with failure: EnrollmentFailure?) { state.withLock { $0.failure = failure } }
    /// What is said of what worked.
    package func remark(_ notes: [String]) { state.withLock { $0.notes = notes } }
    /// Which clients there are.
    package func list(_ clients: [ClientListing]) { state.withLock { $0.clients = clients } }
    /// The next call is answered only when it is let go on.
    package func hold() { state.withLock { $0.isHeld = true } }
    /// Lets the call that is held go on.
    package func release() { gate.send(()) }

    private func answer(_ request: Request?) async throws(EnrollmentFailure) -> [String] {
        if let request { requests.send(request) }
        let (failure, notes, isHeld) = state.withLock { state in
            defer { state.isHeld = false }
            return (state.failure, state.notes, state.isHeld)
        }
        if isHeld {
            // Not within the call's own task, which may be cancelled.
            await Task.detached { [gate] in await gate.next() }.value
            ends.send(Task.isCancelled ? .cancelled : .finished)
        }
        if let failure { throw failure }
        return notes
    }

    package func connect(
        _ user: UserID,
        with pasted: Secret,
        of client: String?
    ) async throws(EnrollmentFailure) -> [String] {
        try await answer(.connect(user, pasted, client))
    }

    package func disconnect(_ user: UserID) async throws(EnrollmentFailure) {
        _ = try await answer(.disconnect(user))
    }

    package func clients() async throws(EnrollmentFailure) -> [ClientListing] {
        _ = try await answer(nil)
        return state.withLock { $0.clients }
    }

    package func put(_ draft: ClientDraft) async throws(EnrollmentFailure) -> (client: ClientListing, notes: [String]) {
        let notes = try await answer(.put(draft))
        return (
            ClientListing(
                name: draft.name,
                environment: draft.environment.flatMap(TradeEnvironment.init) ?? .sandbox,
                clientID: draft.clientID,
                redirectURI: draft.redirectURI ?? "http://localhost:3000/tastytrade/oauth/callback",
                scopes: draft.scopes ?? ["read"],
                secretChangedAt: WallTime(microseconds: 1_767_225_600_000_000),
                accounts: 2,
                obstacle: nil
            ), notes
        )
    }

    package func removeClient(_ name: String) async throws(EnrollmentFailure) {
        _ = try await answer(.removeClient(name))
    }
}

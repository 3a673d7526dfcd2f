// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Synchronization
import TokenCore

/// An `Enrolling` that does what the test says, and keeps what it was told.
final class EnrollingDouble: Enrolling {
    /// A grant that somebody pasted.
    struct Pasted: Hashable {
        let user: UserID
        let token: Secret
        let client: String?
    }

    private struct State {
        var drafts: [ClientDraft] = []
        var pasted: [Pasted] = []
        var clients: Result<[ClientListing], EnrollmentFailure> = .success([EnrollingDouble.configured])
        var answer: Result<[String], EnrollmentFailure> = .success([])
    }

    private let state = Mutex(State())

    /// What was put in.
    var drafts: [ClientDraft] { state.withLock(\.drafts) }
    /// What was connected, or was to be.
    var pasted: [Pasted] { state.withLock(\.pasted) }

    /// What becomes of everything that is entered from now on.
    func answer(_ answer: Result<[String], EnrollmentFailure>) { state.withLock { $0.answer = answer } }

    /// The clients that there are from now on.
    func clients(_ clients: Result<[ClientListing], EnrollmentFailure>) { state.withLock { $0.clients = clients } }

    func connect(
        _ user: UserID,
        with pasted: Secret,
        of client: String?
    ) async throws(EnrollmentFailure) -> [String] {
        let answer = state.withLock { state in
            state.pasted.append(Pasted(user: user, token: pasted, client: client))
            return state.answer
        }
        return try answer.get()
    }

    func disconnect(_ user: UserID) async throws(EnrollmentFailure) {}

    func clients() async throws(EnrollmentFailure) -> [ClientListing] {
        try state.withLock(\.clients).get()
    }

    func put(_ draft: ClientDraft) async throws(EnrollmentFailure) -> (client: ClientListing, notes: [String]) {
        let answer = state.withLock { state in
            state.drafts.append(draft)
            return state.answer
        }
        return (Self.listing(draft.name), try answer.get())
    }

    func removeClient(_ name: String) async throws(EnrollmentFailure) {}

    static let configured = listing("default", accounts: 3)

    static func listing(_ name: String, accounts: Int = 0, obstacle: String? = nil) -> ClientListing {
        ClientListing(
            name: name,
            environment: .sandbox,
            clientID: "0b6e1d6c-3f6d-4d6e-9a57-0d1c7c0f5a11",
            redirectURI: "http://localhost:3000/tastytrade/oauth/callback",
            scopes: ["read", "trade"],
            secretChangedAt: nil,
            accounts: accounts,
            obstacle: obstacle
        )
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import GrantInspection
import Logging
package import TokenCore

extension AccountConnector: Enrolling {
    /// See ``Enrolling/connect(_:with:of:)``.
    package func connect(
        _ user: UserID,
        with pasted: Secret,
        of client: String?
    ) async throws(EnrollmentFailure) -> [String] {
        let row = try await row(of: user)
        let chosen = try await chosenClient(client, for: row)
        var (token, notes) = try Self.inspect(pasted, for: chosen, at: clock().wall)
        let held = try await refreshToken(in: row)
        // There is little to prove then, and a second call with it beside the engine's own might cost it.
        if held == token, row.client == chosen.storedName, let note = try await refresh(user) { return notes + [note] }
        if let held, Self.isAnotherLogin(token, than: held) { notes.append(Self.otherLogin) }
        try begin(user)
        defer { endProof(of: user) }
        do throws(EnrollmentFailure) {
            try await settle(token, of: user, chosen)
        } catch {
            throw error.noting(notes)
        }
        return notes
    }

    /// Has an account refreshed with the grant that it has.
    ///
    /// - Parameter user: whose.
    /// - Returns: what is to be said of it; nil where the grant was refused before, and may prove itself now.
    /// - Throws: why it cannot be refreshed now.
    private func refresh(_ user: UserID) async throws(EnrollmentFailure) -> String? {
        let same = "The account has this very grant already"
        switch await effects.refresh(user) {
        case .underWay, .stale: return "\(same); nothing was changed but for a refresh."
        case .tooSoon: return "\(same), and was refreshed with it a moment ago; nothing was changed."
        case .unknownUser: throw .noRow(of: user)
        case .unavailable(.reauthorizationRequired, _): return nil
        case .unavailable(.unknownOutcome, _):
            throw EnrollmentFailure(
                .grantRefused,
                "\(same), and it may be spent: an answer of TastyTrade's was lost. Make a new one and enter that."
            )
        case .unavailable(_, let wait):
            throw EnrollmentFailure(
                .unavailable,
                "\(same), and it cannot be refreshed at the moment: see tastytoken explain.",
                retryAfter: wait ?? ProofLedger.spacing
            )
        }
    }

    /// See ``Enrolling/disconnect(_:)``.
    package func disconnect(_ user: UserID) async throws(EnrollmentFailure) {
        let outcome: ConnectOutcome
        do throws(StoreFailure) {
            outcome = try await store.disconnect(user)
        } catch {
            // It may be all the same, and then the token must not be handed out any longer.
            await effects.rowWasWritten(user, false)
            throw .unknown(error, "The account of user \(user)", "disconnected")
        }
        try outcome.throwUnlessDone(user, "was not disconnected")
        unstored.forget(user)
        tell("grant removed because somebody asked for it", of: user, "grant.disconnected")
        await effects.rowWasWritten(user, false)
    }
}

extension AccountConnector {
    /// Connects an account with a grant that is got only when it is the account's turn, so that a code is not spent for nothing.
    ///
    /// - Parameters:
    ///   - user: whose row; it must exist.
    ///   - client: the name of the OAuth client that the grant is of.
    ///   - obtain: gets the grant of that client.
    /// - Returns: sentences on what is worth knowing though it worked.
    /// - Throws: why the row is as it was.
    func connect(
        _ user: UserID,
        of client: String,
        obtaining obtain: @Sendable (ChosenClient) async throws(EnrollmentFailure) -> Secret
    ) async throws(EnrollmentFailure) -> [String] {
        let row = try await row(of: user)
        let chosen = try await chosenClient(client, for: row)
        let held = try await refreshToken(in: row)
        try begin(user)
        defer { endProof(of: user) }
        let token = try await obtain(chosen)
        // Nothing is refused for what it looks like: TastyTrade gave it just now, and says in a moment whether it is good.
        var notes = TokenInspection(
            of: token,
            for: chosen.registration,
            wanting: chosen.scopes,
            at: clock().wall
        ).findings.sentences
        if let held, Self.isAnotherLogin(token, than: held) { notes.append(Self.otherLogin) }
        try await settle(token, of: user, chosen)
        return notes
    }

    /// The client that a grant for an account is to be asked of.
    ///
    /// - Parameters:
    ///   - user: whose row; it must exist.
    ///   - name: the client's; nil for the one that the user's grant is of now, else the configuration's.
    /// - Returns: the client.
    /// - Throws: that there is no such row or client, or that it cannot be used.
    func client(for user: UserID, named name: String?) async throws(EnrollmentFailure) -> ChosenClient {
        try await chosenClient(name, for: try await row(of: user))
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import GrantInspection
import Logging
import TokenCore

/// Proving a grant by a refresh, and putting it into its row.
extension AccountConnector {
    /// Sees to it that TastyTrade may be asked for a client now: others may have been told to leave it alone. To be called where a call
    /// follows, since it counts as one.
    ///
    /// - Parameter client: for which.
    /// - Throws: what stands in the way, and for how long.
    func expectCalls(of client: ChosenClient) async throws(EnrollmentFailure) {
        guard let obstacle = await effects.obstacle(client.storedName) else { return }
        throw EnrollmentFailure(
            .unavailable,
            "TastyTrade is not asked at the moment: \(obstacle.reason). Nothing was changed.",
            retryAfter: max(obstacle.wait, .seconds(1))
        )
    }

    /// Proves a grant, unless that was done a moment ago, and puts it into its row.
    func settle(_ token: Secret, of user: UserID, _ client: ChosenClient) async throws(EnrollmentFailure) {
        let answer: TokenAnswer
        if let proof = unstored.take(token, for: user, client: client.storedName, at: clock()) {
            answer = proof
        } else {
            try await expectCalls(of: client)
            answer = try await prove(token, of: user, client)
        }
        try await put(answer, used: token, of: user, client)
    }

    /// Makes a call for an account; what it tells of client and endpoint, everybody has part in.
    ///
    /// - Parameters:
    ///   - user: whose account; the next proof of it waits for a while.
    ///   - client: for which it is made.
    ///   - call: makes it.
    /// - Returns: what the call gives.
    /// - Throws: as the call.
    func calling<Answer: Sendable>(
        for user: UserID,
        _ client: ChosenClient,
        _ call: @Sendable () async throws(RefreshFailure) -> Answer
    ) async throws(RefreshFailure) -> Answer {
        proofs.ask(for: user)
        let begunAt = clock()
        do throws(RefreshFailure) {
            let answer = try await call()
            await effects.callEnded(user, client.storedName, begunAt, nil)
            return answer
        } catch {
            if error.kind == .grantRefused { proofs.refused(at: clock()) }
            await effects.callEnded(user, client.storedName, begunAt, error)
            throw error
        }
    }

    /// It is the account's turn.
    ///
    /// - Parameter user: whose; ``endProof(of:)`` must follow.
    /// - Throws: why it is not.
    func begin(_ user: UserID) throws(EnrollmentFailure) {
        guard !isEnding else {
            throw EnrollmentFailure(
                .unavailable,
                "The daemon is being stopped. Try again when it is back.",
                retryAfter: ProofLedger.spacing
            )
        }
        do throws(ProofLedger.Obstacle) {
            try proofs.begin(user, at: clock())
        } catch {
            switch error {
            case .underWay:
                throw EnrollmentFailure(
                    .tooSoon,
                    "A grant of user \(user) is being tried at the moment. Wait for what comes of it.",
                    retryAfter: ProofLedger.spacing
                )
            case .tooSoon(let wait):
                throw EnrollmentFailure(
                    .tooSoon,
                    "A grant of user \(user) was tried a moment ago.",
                    retryAfter: wait
                )
            case .tooManyRefused(let wait):
                throw EnrollmentFailure(
                    .tooSoon,
                    "TastyTrade refused \(ProofLedger.mostRefused) grants and codes within a minute, and may block this host for more of them. "
                        + "Nothing was changed.",
                    retryAfter: wait
                )
            case .tooMany:
                throw EnrollmentFailure(
                    .unavailable,
                    "Too many grants are being tried at the moment.",
                    retryAfter: ProofLedger.spacing
                )
            }
        }
    }

    private func prove(
        _ token: Secret,
        of user: UserID,
        _ client: ChosenClient
    ) async throws(EnrollmentFailure) -> TokenAnswer {
        do throws(RefreshFailure) {
            return try await calling(for: user, client) { [endpoint] () async throws(RefreshFailure) in
                try await endpoint.refresh(token, of: .none, for: client.registration)
            }
        } catch {
            logger.notice(
                "a grant that was entered was not proved, and is not stored",
                metadata: [
                    LogKey.user: "\(user)", LogKey.event: "grant.not_proved",
                    LogKey.client: "\(client.registration.name)", LogKey.errorCode: "\(error.kind.rawValue)",
                    LogKey.error: "\(error)",
                ]
            )
            throw EnrollmentFailure(error, of: client.registration)
        }
    }

    /// Puts what was proved into its row; where that cannot be, keeps it for another try.
    private func put(
        _ answer: TokenAnswer,
        used: Secret,
        of user: UserID,
        _ client: ChosenClient
    ) async throws(EnrollmentFailure) {
        let grant = ProvenGrant(
            user: user,
            used: used,
            answer: answer,
            client: client.storedName,
            environment: client.registration.environment
        )
        let isUsed = answer.newRefreshToken == nil
        do throws(EnrollmentFailure) {
            let outcome: ConnectOutcome
            do throws(StoreFailure) {
                outcome = try await store.connect(grant)
            } catch {
                // It may be there all the same: nothing else would tell the engine.
                await effects.rowWasWritten(user, isUsed)
                throw .unknown(error, "TastyTrade took the grant, which", "stored")
            }
            try outcome.throwUnlessDone(user, "could not be connected")
        } catch {
            logger.warning(
                "a grant that was proved could not be stored, and is kept for another try",
                metadata: [
                    LogKey.user: "\(user)", LogKey.event: "grant.not_stored",
                    LogKey.client: "\(client.registration.name)", LogKey.error: "\(error)",
                ]
            )
            unstored.keep(answer, used: used, for: user, client: client.storedName, at: clock())
            throw error
        }
        unstored.forget(user)
        tell("account connected", of: user, "grant.connected", client: client.registration.name)
        await effects.rowWasWritten(user, isUsed)
    }

    func tell(_ message: Logger.Message, of user: UserID, _ event: String, client: String? = nil) {
        var metadata: Logger.Metadata = [LogKey.user: "\(user)", LogKey.event: "\(event)"]
        if let client { metadata[LogKey.client] = "\(client)" }
        logger.notice(message, metadata: metadata)
    }
}

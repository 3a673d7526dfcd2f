// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Logging
import TokenCore

/// The way of a refresh: in line, its grant read, the call made.
extension RefreshEngine {
    /// Begins as many refreshes as caps and rate let through, the most urgent first. Grants are read in batches: while
    /// one batch is being read, the next gathers in the line.
    func pump(at now: Moment) {
        guard phase == .running, readingGrants.isEmpty else { return }
        var batch: [UserID] = []
        while inFlight + batch.count < configuration.maxInFlight, let slot = nextInLine(at: now) {
            if let account = table[slot] { batch.append(account.user) }
        }
        guard !batch.isEmpty else { return }
        inFlight += batch.count
        readingGrants = Set(batch)
        let users = batch
        Task {
            do throws(StoreFailure) {
                let grants = try await store.grants(of: users)
                begin(users, grants)
            } catch {
                couldNotRead(users, error)
            }
        }
    }

    /// The most urgent account that still wants a refresh, if the rate allows a call now.
    private func nextInLine(at now: Moment) -> AccountSlot? {
        while ready.count > 0, bucket.nextAt <= now.boot {
            guard let slot = ready.popFirst(at: now) else { return nil }
            // Its row may have changed while it stood in line.
            guard table[slot]?.machine.phase == .queued else { continue }
            _ = bucket.take(at: now.boot)
            return slot
        }
        return nil
    }

    private func begin(_ users: [UserID], _ grants: [StoredGrant]) {
        readingGrants = []
        wakeStoreVictims()
        guard phase == .running else {
            // A stop came while they were being read; what was not sent needs no finishing.
            inFlight -= users.count
            return advance()
        }
        let found = Dictionary(grants.map { ($0.user, $0) }, uniquingKeysWith: { first, _ in first })
        for user in users {
            if let grant = found[user] {
                begin(grant)
            } else {
                inFlight -= 1
                // The row is gone, or holds no refresh token any more; reading it again tells which.
                reread(user)
            }
        }
        advance()
    }

    private func begin(_ grant: StoredGrant) {
        guard let slot = table.slot(of: grant.user), table[slot]?.machine.phase == .queued else {
            inFlight -= 1
            return
        }
        guard attempts[grant.user] == nil else { return postpone(slot) }
        switch grant.refreshToken {
        case .failure:
            inFlight -= 1
            reread(grant.user)
        case .success(let refreshToken):
            apply(slot) { $0.begun(version: grant.version, $1) }
            call(refreshToken, of: grant)
        }
    }

    /// The row was gone for a while, and the call that was made for it before has not ended: a second one beside it could
    /// cost a rotated refresh token.
    private func postpone(_ slot: AccountSlot) {
        inFlight -= 1
        guard let version = table[slot]?.machine.grantVersion else { return }
        let failure = RefreshFailure(.storeUnavailable, text: "an earlier call for this user has not ended")
        apply(slot) { $0.failed(failure, using: version, $1) }
    }

    private func call(_ refreshToken: Secret, of grant: StoredGrant) {
        lastAttempt += 1
        let attempt = Attempt(number: lastAttempt, begunAt: clock())
        attempts[grant.user] = attempt
        logger.debug("refresh begun", metadata: [LogKey.user: "\(grant.user)", LogKey.attempt: "\(attempt.number)"])
        Task {
            do throws(RefreshFailure) {
                let answer = try await endpoint.refresh(refreshToken, for: client)
                ended(grant, attempt, .success(answer))
            } catch {
                ended(grant, attempt, .failure(error))
            }
        }
    }

    private func ended(_ grant: StoredGrant, _ attempt: Attempt, _ result: Result<TokenAnswer, RefreshFailure>) {
        inFlight -= 1
        if attempts[grant.user]?.number == attempt.number { attempts[grant.user] = nil }
        log(result, of: grant.user, attempt)
        if let slot = table.slot(of: grant.user) {
            switch result {
            case .success(let answer): apply(slot) { $0.granted(answer, using: grant.version, $1) }
            case .failure(let failure): apply(slot) { $0.failed(failure, using: grant.version, $1) }
            }
        }
        advance()
    }

    private func couldNotRead(_ users: [UserID], _ error: StoreFailure) {
        readingGrants = []
        inFlight -= users.count
        let failure = RefreshFailure(.storeUnavailable, text: "the grant could not be read: \(error)")
        let level: Logger.Level = storeVictims.isEmpty ? .warning : .debug
        logger.log(
            level: level,
            "grants could not be read",
            metadata: [
                LogKey.accounts: "\(users.count)", LogKey.error: "\(error)", LogKey.errorCode: "\(error.kind.rawValue)",
            ]
        )
        for user in users {
            guard let slot = table.slot(of: user), let version = table[slot]?.machine.grantVersion else { continue }
            apply(slot) { $0.failed(failure, using: version, $1) }
            storeVictims.insert(user)
        }
        advance()
    }

    /// Puts all accounts that failed for want of the store in line again; rate and urgency do the rest.
    private func wakeStoreVictims() {
        guard !storeVictims.isEmpty else { return }
        let victims = storeVictims
        storeVictims = []
        for user in victims {
            if let slot = table.slot(of: user) { apply(slot) { $0.storeRecovered($1) } }
        }
        logger.notice("grants can be read again", metadata: [LogKey.accounts: "\(victims.count)"])
    }

    private func log(_ result: Result<TokenAnswer, RefreshFailure>, of user: UserID, _ attempt: Attempt) {
        var metadata: Logger.Metadata = [
            LogKey.user: "\(user)",
            LogKey.attempt: "\(attempt.number)",
            LogKey.duration: (clock().boot - attempt.begunAt.boot).logMilliseconds,
        ]
        switch result {
        case .success:
            metadata[LogKey.event] = "token.granted"
            logger.debug("refresh answered", metadata: metadata)
        case .failure(let failure):
            metadata[LogKey.event] = "refresh.failed"
            metadata[LogKey.errorCode] = "\(failure.kind.rawValue)"
            metadata[LogKey.error] = "\(failure)"
            logger.info("refresh failed", metadata: metadata)
        }
    }
}

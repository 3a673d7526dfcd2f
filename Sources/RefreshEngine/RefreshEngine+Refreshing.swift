// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Logging
import TokenCore

/// What came of claiming a batch of accounts.
private struct ClaimedBatch {
    /// Whose client they belong to.
    let lane: LaneNumber
    /// All that were to be claimed.
    let users: [UserID]
    /// Those of them that have a row, as it was then.
    let grants: [ClaimedGrant]
    /// When their claims were asked for.
    let askedAt: Moment
    /// Those for which a call is to be made.
    var toCall: [ClaimedGrant] = []
    /// Why that could not be written down; nil if it was, or need not be.
    var journalFailure: JournalFailure?
    /// Whose row has changed since it was read: what was read must not undo that.
    var moved: Set<UserID> = []
}

/// The way of a refresh: in line, claimed and its grant read, the call made.
extension RefreshEngine {
    /// Begins as many refreshes as caps and rate let through, the most urgent first. Accounts are claimed in batches:
    /// while one batch is being claimed, the next gathers in the line.
    func pump(at now: Moment) {
        guard phase == .running else { return }
        for lane in lanes.numbers where lanes[lane].claiming.isEmpty { pump(lane, at: now) }
    }

    private func pump(_ lane: LaneNumber, at now: Moment) {
        var batch: [UserID] = []
        while lanes[lane].inFlight + batch.count < configuration.maxInFlight, let slot = nextInLine(of: lane, at: now) {
            if let account = table[slot] { batch.append(account.user) }
        }
        guard !batch.isEmpty else { return }
        lanes[lane].inFlight += batch.count
        batch = beginUnclaimed(batch, in: lane, at: now)
        guard !batch.isEmpty else { return }
        lanes[lane].claiming = Set(batch)
        let users = batch
        let askedAt = now
        let sends = lanes[lane].rotates
        Task {
            do throws(StoreFailure) {
                let found = try await store.claim(users, sends: sends)
                // No mark is made where nobody saw it.
                if found.contains(where: \.tellsOfRotation) { foundRotation(of: lane) }
                var batch = ClaimedBatch(lane: lane, users: users, grants: found, askedAt: askedAt)
                guard sends || !lanes[lane].rotates else {
                    // The claims do not say what is about to be sent: they are given back, and made once more.
                    batch.moved = Set(users)
                    return begin(batch)
                }
                batch.toCall = grantsToCall(found, in: lane, askedAt)
                let held = versions(of: users)
                batch.journalFailure = await recordIntents(batch.toCall, in: lane)
                batch.moved = moved(users, since: held)
                begin(batch)
            } catch {
                couldNotClaim(users, in: lane, error)
            }
        }
    }

    /// The most urgent account that still wants a refresh, if the rate allows a call now.
    private func nextInLine(of lane: LaneNumber, at now: Moment) -> AccountSlot? {
        while let wait = untilNextInLine(of: lane, at: now), wait <= .zero {
            guard let slot = lanes[lane].ready.popFirst(at: now) else { return nil }
            // Its row may have changed while it stood in line.
            guard table[slot]?.machine.phase == .queued else { continue }
            _ = lanes[lane].bucket.take(at: now.boot)
            lanes[lane].pause.called(at: now)
            noteBreakerCall(for: slot, in: lane, at: now)
            return slot
        }
        return nil
    }

    /// How long it is until a call can be made; nil if nobody is in line, or none can be before another ends.
    func untilNextCall(at now: Moment) -> Duration? {
        lanes.numbers.compactMap { lane in
            let isFull = !lanes[lane].claiming.isEmpty || lanes[lane].inFlight >= configuration.maxInFlight
            return isFull ? nil : untilNextInLine(of: lane, at: now)
        }.min()
    }

    /// How long rate, pause and breaker keep the most urgent account waiting; nil if none is in line.
    private func untilNextInLine(of lane: LaneNumber, at now: Moment) -> Duration? {
        guard lanes[lane].obstacle == nil, let slot = lanes[lane].ready.first(at: now),
            let lifeLeft = lifeLeftOfNextInLine(of: lane, at: now)
        else {
            return nil
        }
        // A pause lets through for whom somebody waits; the breaker goes by the tokens alone.
        return max(
            lanes[lane].bucket.nextAt - now.boot,
            lanes[lane].pause.wait(forLifeLeft: lifeLeft, at: now),
            lanes[lane].breaker.wait(forLifeLeft: self.lifeLeft(of: slot, at: now), at: now)
        )
    }

    /// The grants for which a call is to be made: what is about to be made is written down first, and nothing else.
    private func grantsToCall(
        _ grants: [ClaimedGrant],
        in lane: LaneNumber,
        _ askedAt: Moment
    ) -> [ClaimedGrant] {
        // A stop may have come meanwhile; what was not sent needs no finishing.
        guard phase == .running, isFresh(askedAt) else { return [] }
        return grants.filter { isToBeCalled($0, in: lane) }
    }

    /// A process that stood still may have been succeeded: what is left of a claim must outlast the call.
    private func isFresh(_ askedAt: Moment) -> Bool {
        clock().boot - askedAt.boot < configuration.claimGoodFor
    }

    /// Makes the calls of a batch, and gives the rest back.
    private func begin(_ batch: ClaimedBatch) {
        let lane = batch.lane
        lanes[lane].claiming = []
        noteStoreAnswered()
        claimsAwayUntil = nil
        wakeStoreVictims()
        let found = Dictionary(batch.grants.map { ($0.row.user, $0) }, uniquingKeysWith: { first, _ in first })
        let toCall = Set(batch.toCall.map(\.row.user))
        let isFresh = isFresh(batch.askedAt)
        for user in batch.users {
            let isLate = !isFresh || batch.moved.contains(user)
            if phase == .running, !isLate, toCall.contains(user), let grant = found[user],
                begin(grant, in: lane, batch.journalFailure)
            {
                continue
            }
            lanes[lane].inFlight -= 1
            lanes[lane].bucket.putBack()
            putBackProbe(in: lane)
            if let claim = found[user]?.hold.claim {
                giveBack(claim)
            }
            // Who is in no line any more is put back by the reread.
            let isLost = found[user].map { lanes.number(of: $0.row.client) == nil || isSpent($0.row) } ?? true
            if isLost || isLate { reread(user) }
        }
        strikeIntents(of: batch.toCall, in: lane)
        flushSettles()
        advance()
    }

    /// A claim under which no call is made is ended, unless one is under way: then it goes on under the later of the two, which is what
    /// keeps the other daemons away.
    private func giveBack(_ claim: Claim) {
        guard attempts[claim.user] != nil else { return end(claim, after: .zero) }
        if let held = claims[claim.user], held.epoch >= claim.epoch { return }
        claims[claim.user] = claim
    }

    /// Whether there is a call to make for an account whose turn has come: not if another daemon has it in hand, or has stored a newer
    /// token before the claim was had, nor if the row has no grant that can be used.
    private func isToBeCalled(_ grant: ClaimedGrant, in lane: LaneNumber) -> Bool {
        guard let slot = table.slot(of: grant.row.user), table[slot]?.machine.phase == .queued else { return false }
        learn(grant.row, slot)
        // Another client's grant is never sent with this one's secret.
        guard lanes.number(of: grant.row.client) == lane, table[slot]?.lane == lane, !isSpent(grant.row) else {
            return false
        }
        switch grant.hold {
        case .elsewhere(let time): apply(slot) { $0.claimedElsewhere(for: time, $1) }
        case .inDoubt: doubt(slot)
        case .afterLoss: noteLoss(slot)
        case .claimed, .unguarded: break
        }
        guard table[slot]?.machine.phase == .queued, case .success? = grant.refreshToken else { return false }
        return true
    }

    /// Makes the call for an account, unless an earlier one is under way, or it could not be written down and can wait. True if it
    /// was made.
    private func begin(_ grant: ClaimedGrant, in lane: LaneNumber, _ journalFailure: JournalFailure?) -> Bool {
        guard let slot = table.slot(of: grant.row.user), let account = table[slot], account.machine.phase == .queued,
            account.lane == lane,
            case .success(let refreshToken)? = grant.refreshToken
        else { return false }
        guard attempts[grant.row.user] == nil else {
            postpone(slot, RefreshFailure(.callUnderWay, text: "an earlier call for this user has not ended"))
            return false
        }
        if let journalFailure, !mayRisk(account.machine) {
            let text = "the call was put off, since it could not be written down first: \(journalFailure)"
            postpone(slot, RefreshFailure(.journalUnavailable, text: text))
            return false
        }
        if let claim = grant.hold.claim { claims[grant.row.user] = claim }
        kept.keep(refreshToken, version: grant.row.grant.version, of: grant.row.user)
        if lanes[lane].rotates { journaled.insert(grant.row.user) }
        apply(slot) { $0.begun(version: grant.row.grant.version, $1) }
        call(refreshToken, of: grant.row.user, version: grant.row.grant.version, in: lane)
        return true
    }

    /// Something keeps the call from being made now. The row may have been gone for a while, with the call that was made for it before
    /// not ended yet: a second one beside it could cost a rotated refresh token.
    private func postpone(_ slot: AccountSlot, _ failure: RefreshFailure) {
        guard let version = table[slot]?.machine.grantVersion else { return }
        apply(slot) { $0.failed(failure, using: version, $1) }
        metrics.ended(failure.kind)
    }

    /// Makes the call, with that version of the refresh token.
    func call(_ refreshToken: Secret, of user: UserID, version: Int64, in lane: LaneNumber) {
        lastAttempt += 1
        let attempt = Attempt(number: lastAttempt, begunAt: clock(), lane: lane)
        attempts[user] = attempt
        measureLateness(of: user, at: attempt.begunAt)
        if let claim = claims[user] { follow(user, attempt.number, "account claimed", claim: claim) }
        follow(user, attempt.number, "refresh begun")
        let account = AccountAtHand(user, version, hands)
        let client = lanes[lane].client
        Task {
            do throws(RefreshFailure) {
                let answer = try await endpoint.refresh(refreshToken, of: account, for: client)
                endedCall(
                    user,
                    version,
                    attempt,
                    .success(await writeDown(answer, of: user, version: version, in: lane))
                )
            } catch {
                await writeDown(error, of: user, version: version, in: lane)
                endedCall(user, version, attempt, .failure(error))
            }
        }
    }

    private func endedCall(
        _ user: UserID,
        _ version: Int64,
        _ attempt: Attempt,
        _ result: Result<TokenAnswer, RefreshFailure>
    ) {
        lanes[attempt.lane].inFlight -= 1
        if attempts[user]?.number == attempt.number { attempts[user] = nil }
        log(result, of: user, attempt)
        remember(result, of: user, attempt)
        switch result {
        case .success(let answer):
            usualLifetime = answer.life.lifetime
        case .failure(let failure):
            if failure.kind == .throttled { keepPause(of: attempt.lane, failure) }
        }
        let wasRefused = isRefused(user)
        if let slot = table.slot(of: user) {
            switch result {
            case .success(let answer):
                storingAttempts[user] = attempt.number
                apply(slot) {
                    $0.isUnaware(of: version) ? $0.recovered(answer, $1) : $0.granted(answer, using: version, $1)
                }
            case .failure(let failure): apply(slot) { $0.failed(failure, using: version, $1) }
            }
        }
        if table.slot(of: user) == nil, journaled.remove(user) != nil { pendingSettles.append(user) }
        heed(result, of: user, attempt, wasRefused: wasRefused)
        measure(result, of: user, attempt)
        endClaimUnlessStoring(of: user)
        advance()
    }

    /// The endpoint says that we are too many: that is about the client, not about one account.
    func keepPause(of lane: LaneNumber, _ failure: RefreshFailure) {
        let now = clock()
        let wasOn = lanes[lane].pause.isOn(at: now)
        lanes[lane].pause.asked(for: failure.retryAfter, at: now)
        guard !wasOn else { return }
        logger.warning(
            "endpoint asks for a pause",
            metadata: [
                LogKey.error: "\(failure)", LogKey.event: "client.paused",
                LogKey.client: "\(lanes[lane].client.name)",
            ]
        )
    }

    private func couldNotClaim(_ users: [UserID], in lane: LaneNumber, _ error: StoreFailure) {
        lanes[lane].claiming = []
        noteUnclaimed(error, accounts: users.count)
        let rest = phase == .running ? beginUnclaimed(users, in: lane, at: clock()) : users
        lanes[lane].inFlight -= rest.count
        // What was not sent is not to count, neither by the rate nor as a probe.
        for _ in rest { lanes[lane].bucket.putBack() }
        if !rest.isEmpty { putBackProbe(in: lane) }
        let failure = RefreshFailure(.storeUnavailable, text: "the account could not be claimed: \(error)")
        for user in rest {
            guard let slot = table.slot(of: user), let version = table[slot]?.machine.grantVersion else { continue }
            apply(slot) { $0.failed(failure, using: version, $1) }
            storeVictims.insert(user)
            metrics.ended(failure.kind)
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
        logger.notice("accounts can be claimed again", metadata: [LogKey.accounts: .stringConvertible(victims.count)])
    }

    private func remember(_ result: Result<TokenAnswer, RefreshFailure>, of user: UserID, _ attempt: Attempt) {
        guard table.slot(of: user) != nil else { return }
        let took = (clock().boot - attempt.begunAt.boot).nanoseconds / 1_000_000
        let failure: RefreshFailure.Kind? = if case .failure(let failure) = result { failure.kind } else { nil }
        attemptLog.add(
            RefreshAttempt(at: attempt.begunAt.wall, milliseconds: Int32(clamping: took), failure: failure),
            of: user
        )
    }

    private func log(_ result: Result<TokenAnswer, RefreshFailure>, of user: UserID, _ attempt: Attempt) {
        var metadata: Logger.Metadata = [
            LogKey.user: "\(user)",
            LogKey.attempt: .stringConvertible(attempt.number),
            LogKey.duration: (clock().boot - attempt.begunAt.boot).logMilliseconds,
        ]
        switch result {
        case .success:
            metadata[LogKey.event] = "token.granted"
            logger.debug("refresh answered", metadata: metadata)
        case .failure(let failure):
            metadata[LogKey.event] = "\(AccountEvent.Kind.refreshFailed.rawValue)"
            metadata[LogKey.errorCode] = "\(failure.kind.rawValue)"
            metadata[LogKey.error] = "\(failure)"
            logger.info("refresh failed", metadata: metadata)
        }
    }
}

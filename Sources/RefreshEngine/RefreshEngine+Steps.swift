// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Logging
import TokenCore

/// The one place that gives inputs to machines and carries out their steps (style: decide, then act).
extension RefreshEngine {
    /// Gives one input to the account's machine and does what follows from it.
    ///
    /// - Parameters:
    ///   - slot: the account.
    ///   - row: the row that the input speaks of, for a step that adopts its token.
    ///   - line: of the call, which tells inputs apart (``HandlingStep/input(_:)``).
    ///   - input: calls the machine.
    func apply(
        _ slot: AccountSlot,
        row: GrantRow? = nil,
        line: UInt = #line,
        _ input: (inout GrantStateMachine, Occasion) -> Step
    ) {
        guard let before = table[slot] else { return }
        let occasion = occasion(in: before.lane)
        let change = hands.holding(before.user, before.machine.grantVersion, .input(line)) {
            table.change(slot) { input(&$0, occasion) }
        }
        guard let step = change, let after = table[slot] else { return }
        statuses.count(before.machine, by: -1)
        statuses.count(after.machine, by: 1)
        if case .enqueue = step.effect { noteInLine(slot, dueAt: before.machine.deadline, occasion.now) }
        unstored += (after.machine.isStoring ? 1 : 0) - (before.machine.isStoring ? 1 : 0)
        unpublished += (after.machine.isWithheld ? 1 : 0) - (before.machine.isWithheld ? 1 : 0)
        carryOut(step, slot, after, row: row, occasion.now)
        tell(before.machine, after.machine, of: after.user, occasion.now)
        if !storingAttempts.isEmpty, !after.machine.isStoring { storingAttempts[after.user] = nil }
        if !journaled.isEmpty { settleUnlessNeeded(after) }
    }

    /// The outside's part in one input.
    func occasion(in lane: LaneNumber) -> Occasion {
        Occasion(now: clock(), draw: draw(), policy: configuration.policy, rotates: lanes[lane].rotates)
    }

    func carryOut(_ step: Step, _ slot: AccountSlot, _ account: Account, row: GrantRow?, _ now: Moment) {
        switch step.deadline {
        case .keep: break
        case .arm(let deadline): due.arm(slot, at: deadline)
        case .disarm: due.disarm(slot)
        }
        var change: TokenBoard.TokenChange = .keep
        switch step.effect {
        case .none: break
        case .enqueue: lanes[account.lane].ready.arm(slot, at: urgency(of: account, now))
        case .store(let answer): write(answer, of: account)
        case .salvage(let newRefreshToken): salvage(newRefreshToken, of: account)
        case .publish(let answer):
            change = .replace(render(answer.accessToken, answer.tokenType, answer.life, of: account))
            follow(
                account.user,
                storingAttempts[account.user],
                "token published",
                event: AccountEvent.Kind.tokenRefreshed.rawValue
            )
        case .adopt: change = adopted(row, account, now)
        case .withdraw: change = .withdraw
        case .reread: reread(account.user)
        }
        board.update(slot, change, prospect: account.machine.prospect(at: now))
    }

    private func adopted(_ row: GrantRow?, _ account: Account, _ now: Moment) -> TokenBoard.TokenChange {
        guard let token = row?.accessToken, let life = account.machine.life, life.isAlive(at: now) else {
            return .withdraw
        }
        return .replace(render(token, "Bearer", life, of: account))
    }

    private func render(_ token: Secret, _ type: String, _ life: TokenLife, of account: Account) -> PublishedToken {
        hands.holding(account.user, account.machine.grantVersion, .rendering) {
            renderer.render(token, type: type, life: life, for: lanes[account.lane].client)
        }
    }

    /// How much later than its token's end each failure places an account that has a live one; six failures at most.
    private static let setback: Duration = .seconds(5)
    /// How long those that fail without a live token wait for those that have one to lose: a tenth of a usual life.
    private static let courtesy: Duration = .seconds(90)
    /// After everybody whose turn can come meanwhile.
    private static let afterAllOthers: Duration = .seconds(43_200)
    /// After those, too: a grant that is refused for good may wait for as long as it likes.
    private static let mereProbe: Duration = .seconds(86_400)
    /// By how much of that a token's death may lie back and still count; beyond it, first come is first served.
    private static let memory: Duration = .seconds(60)

    /// The end of the token at hand; an account without one comes as if its token ended now, a mere probe last.
    ///
    /// Accounts that fail come later, the soonest expiry first all the same: where there is a queue, those that are tried
    /// again and again must not keep the others waiting until their tokens die too. How much later is bounded, so that
    /// each does have its turn.
    func urgency(of account: Account, _ now: Moment) -> Moment {
        let machine = account.machine
        if case .refused = machine.standing { return now + Self.mereProbe }
        let failures = machine.streak?.count ?? 0
        // Probes are few then, and each is for who was not refused yet: it may be just those others' own fault.
        if failures > 0, let cause = lanes[account.lane].breaker.cause, cause != .endpointAway {
            return now + Self.afterAllOthers
        }
        if let life = machine.life, life.isAlive(at: now) { return life.expiresAt + Self.setback * min(failures, 6) }
        guard failures > 0 else { return now }
        let deadFor = machine.life.map { .zero - $0.remaining(at: now) } ?? Self.memory
        return now + (Self.courtesy - min(deadFor, Self.memory))
    }

    /// What is left of the token of the account that is next in line, zero or less if it is dead or somebody waits for
    /// another; for a mere probe more than any pause takes. Its place in the line does not tell: see ``urgency(of:_:)``.
    func lifeLeftOfNextInLine(of lane: LaneNumber, at now: Moment) -> Duration? {
        guard let slot = lanes[lane].ready.first(at: now), let place = lanes[lane].ready.untilNext(at: now) else {
            return nil
        }
        guard let machine = table[slot]?.machine else { return place }
        if case .refused = machine.standing { return place }
        return min(place, machine.life?.remaining(at: now) ?? .zero)
    }
}

extension GrantStateMachine {
    /// Whether an answer, or what could be had of one, is waiting to be stored.
    var isStoring: Bool {
        switch phase {
        case .storing, .salvaging: true
        case .resting, .queued, .elsewhere, .inDoubt, .refreshing: false
        }
    }

    /// Whether what waits to be stored is nowhere else: more than a copy would be lost.
    var isWithheld: Bool {
        switch phase {
        case .storing(_, let isPublished): !isPublished
        case .salvaging: true
        case .resting, .queued, .elsewhere, .inDoubt, .refreshing: false
        }
    }
}

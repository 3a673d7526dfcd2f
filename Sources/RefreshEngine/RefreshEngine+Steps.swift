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
    ///   - input: calls the machine.
    func apply(
        _ slot: AccountSlot,
        row: GrantRow? = nil,
        _ input: (inout GrantStateMachine, Occasion) -> Step
    ) {
        let occasion = occasion()
        guard let before = table[slot], let step = table.change(slot, { input(&$0, occasion) }),
            let after = table[slot]
        else { return }
        tally.count(before.machine, by: -1)
        tally.count(after.machine, by: 1)
        unstored += (after.machine.isStoring ? 1 : 0) - (before.machine.isStoring ? 1 : 0)
        unpublished += (after.machine.isWithheld ? 1 : 0) - (before.machine.isWithheld ? 1 : 0)
        carryOut(step, slot, after, row: row, occasion.now)
        tell(before.machine, after.machine, of: after.user, occasion.now)
    }

    /// The outside's part in one input.
    func occasion() -> Occasion {
        Occasion(now: clock(), draw: draw(), policy: configuration.policy)
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
        case .enqueue: ready.arm(slot, at: urgency(of: account.machine, now))
        case .store(let answer): write(answer, of: account)
        case .publish(let answer): change = .replace(render(answer.accessToken, answer.tokenType, answer.life, account))
        case .adopt: change = adopted(row, account, now)
        case .withdraw: change = .withdraw
        case .reread: reread(account.user)
        }
        board.update(account.user, change, prospect: account.machine.prospect(at: now))
    }

    private func adopted(_ row: GrantRow?, _ account: Account, _ now: Moment) -> TokenBoard.TokenChange {
        guard let token = row?.accessToken, let life = account.machine.life, life.isAlive(at: now) else {
            return .withdraw
        }
        return .replace(render(token, "Bearer", life, account))
    }

    private func render(_ token: Secret, _ type: String, _ life: TokenLife, _ account: Account) -> PublishedToken {
        renderer.render(token, type: type, life: life, of: account.user, for: client)
    }

    /// The end of the token at hand; an account without one comes as if its token ended now, a mere probe last.
    private func urgency(of machine: GrantStateMachine, _ now: Moment) -> Moment {
        if case .refused = machine.standing { return now + .seconds(86_400) }
        guard let life = machine.life, life.isAlive(at: now) else { return now }
        return life.expiresAt
    }

    /// Says aloud what an operator would want to know, once per change.
    private func tell(_ before: GrantStateMachine, _ after: GrantStateMachine, of user: UserID, _ now: Moment) {
        let old = before.lastingStatus(at: now)
        let new = after.lastingStatus(at: now)
        guard old != new else { return }
        if new == .reauthorizationRequired { note(user, after, new) }
        var metadata: Logger.Metadata = [
            LogKey.user: "\(user)",
            LogKey.event: "status.changed",
            LogKey.status: "\(new.rawValue)",
            LogKey.previousStatus: "\(old.rawValue)",
        ]
        if let error = after.lastError { metadata[LogKey.error] = "\(error)" }
        if let failure = after.streak?.last { metadata[LogKey.errorCode] = "\(failure.kind.rawValue)" }
        logger.log(level: Self.level(of: new), "account changed status", metadata: metadata)
    }

    private static func level(of status: GrantStatus) -> Logger.Level {
        switch status {
        case .active, .refreshing, .noGrant: .notice
        case .degraded: .warning
        case .expired, .reauthorizationRequired, .unknownOutcome, .unreadable: .error
        }
    }
}

extension GrantStateMachine {
    /// Whether an answer is waiting to be stored.
    var isStoring: Bool {
        if case .storing = phase { true } else { false }
    }

    /// Whether an answer is waiting to be stored before it may be handed out.
    var isWithheld: Bool {
        if case .storing(_, isPublished: false) = phase { true } else { false }
    }

    /// The status without the coming and going of refreshes.
    func lastingStatus(at now: Moment) -> GrantStatus {
        let status = status(at: now)
        return status == .refreshing ? .active : status
    }
}

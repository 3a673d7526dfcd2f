// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import TokenCore

/// One account on which inputs come in any order, as races may bring them.
struct GrantWalk {
    var random: SeededGenerator
    var now = Moment.newYear
    var versions: Int64 = 1
    var inFlight: Int64?
    var armed: Moment?
    var isQueued = false
    var isStoring = false
    var isSalvaging = false
    let policy = RefreshPolicy(dailyBudget: 40)

    mutating func occasion() -> Occasion {
        Occasion(now: now, draw: Double.random(in: 0...1, using: &random), policy: policy)
    }

    var isDue: Bool { armed?.isReached(at: now) ?? false }

    mutating func follow(_ step: Step) {
        switch step.deadline {
        case .keep: break
        case .arm(let deadline): armed = deadline
        case .disarm: armed = nil
        }
        if step.effect == .enqueue { isQueued = true }
        if case .store = step.effect { isStoring = true }
        if case .salvage = step.effect { isSalvaging = true }
    }

    mutating func answer() -> TokenAnswer {
        let kinds = ["a", "b", "c-\(now.boot.nanoseconds)"]
        let token = kinds[Int.random(in: 0..<3, using: &random)]
        let rotated = Int.random(in: 0..<4, using: &random) == 0 ? Secret("r") : nil
        let lifetime = Duration.seconds(Int.random(in: 1...900, using: &random))
        return TokenAnswer(
            accessToken: Secret(token),
            life: TokenLife(sentAt: now, lifetime: lifetime),
            newRefreshToken: rotated
        )
    }

    mutating func row() -> GrantRow {
        versions += Int64.random(in: 0...1, using: &random)
        let user = UserID("1")
        switch Int.random(in: 0..<6, using: &random) {
        case 0: return GrantRow(user: user, grant: .none, accessToken: nil, expiresAt: nil, memory: nil)
        case 1:
            let grant = GrantRow.Grant.unreadable(version: versions, reason: "x")
            return GrantRow(user: user, grant: grant, accessToken: nil, expiresAt: nil, memory: nil)
        default:
            let expiresAt = now.wall + .seconds(Int.random(in: -100...900, using: &random))
            return GrantRow(
                user: user,
                grant: .present(version: versions),
                accessToken: Secret("t"),
                expiresAt: expiresAt,
                memory: memory()
            )
        }
    }

    /// That the row's grant was only sealed anew, now and then.
    private mutating func memory() -> GrantMemory? {
        guard Int.random(in: 0..<3, using: &random) == 0 else { return nil }
        return GrantMemory(
            status: .active,
            grantVersion: versions,
            generation: 1,
            consecutiveFailures: 0,
            lastError: nil,
            lastRefreshedAt: nil,
            lifetime: nil,
            sealedAnewFrom: [versions - 1]
        )
    }

    /// Time goes by, and one of the things that may happen in this state does.
    mutating func turn(_ machine: inout GrantStateMachine) {
        now = now + .milliseconds(Int.random(in: 0..<20_000, using: &random))
        switch Int.random(in: 0..<8, using: &random) {
        case 0: follow(machine.rowChanged(row(), occasion()))
        case 1: follow(machine.demanded(occasion()))
        case 2 where isDue, 3 where isDue:
            armed = nil
            follow(machine.due(occasion()))
        case 4 where isQueued && inFlight == nil: begin(&machine)
        case 5, 6: end(&machine)
        default:
            store(&machine)
            salvage(&machine)
        }
    }

    private mutating func begin(_ machine: inout GrantStateMachine) {
        isQueued = false
        guard machine.phase == .queued else { return }
        if Int.random(in: 0..<4, using: &random) == 0 {
            let time = Duration.seconds(Int.random(in: 0...90, using: &random))
            return follow(machine.claimedElsewhere(for: time, occasion()))
        }
        let version = Int.random(in: 0..<5, using: &random) == 0 ? versions + 100 : machine.grantVersion
        inFlight = version
        follow(machine.begun(version: version, occasion()))
    }

    private mutating func end(_ machine: inout GrantStateMachine) {
        guard let version = inFlight else { return }
        inFlight = nil
        if Bool.random(using: &random) {
            follow(machine.granted(answer(), using: version, occasion()))
        } else {
            let kinds = RefreshFailure.Kind.allCases
            let kind = kinds[Int.random(in: 0..<kinds.count, using: &random)]
            let rotated = Int.random(in: 0..<4, using: &random) == 0 ? Secret("s") : nil
            let failure = RefreshFailure(kind, text: "x", newRefreshToken: rotated)
            follow(machine.failed(failure, using: version, occasion()))
        }
    }

    private mutating func salvage(_ machine: inout GrantStateMachine) {
        guard isSalvaging else { return }
        isSalvaging = false
        switch Int.random(in: 0..<3, using: &random) {
        case 0: follow(machine.salvaged(grantVersion: machine.grantVersion, occasion()))
        case 1: follow(machine.salvageSuperseded(occasion()))
        default: follow(machine.salvageFailed(RefreshFailure(.storeUnavailable, text: "x"), occasion()))
        }
    }

    private mutating func store(_ machine: inout GrantStateMachine) {
        guard isStoring else { return }
        isStoring = false
        switch Int.random(in: 0..<3, using: &random) {
        case 0: follow(machine.stored(grantVersion: machine.grantVersion, occasion()))
        case 1: follow(machine.superseded(occasion()))
        default: follow(machine.storeFailed(RefreshFailure(.storeUnavailable, text: "x"), occasion()))
        }
    }
}

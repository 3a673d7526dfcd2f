// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import Testing
import TokenCore

@Suite struct GrantStateMachineTests {
    let policy = RefreshPolicy()
    let start = Moment.newYear
    let user = UserID("42")

    func occasion(_ after: Duration, draw: Double = 0.5) -> Occasion {
        Occasion(now: start + after, draw: draw, policy: policy)
    }

    func row(
        _ version: Int64? = 1,
        token: String? = nil,
        expiresIn: Duration? = nil,
        memory: GrantMemory? = nil
    ) -> GrantRow {
        GrantRow(
            user: user,
            grant: version.map { .present(version: $0) } ?? .none,
            accessToken: token.map { Secret($0) },
            expiresAt: expiresIn.map { start.wall + $0 },
            memory: memory
        )
    }

    func answer(
        _ token: String,
        sentAfter: Duration,
        lives: Duration = .seconds(900),
        rotated: String? = nil
    ) -> TokenAnswer {
        TokenAnswer(
            accessToken: Secret(token),
            life: TokenLife(sentAt: start + sentAfter, lifetime: lives),
            newRefreshToken: rotated.map { Secret($0) }
        )
    }

    private let unreachable = RefreshFailure(.connect, text: "connection refused")
    let refusal = RefreshFailure(.grantRefused, httpStatus: 400, code: "invalid_grant", text: "Grant revoked")

    /// A machine whose refresh is in flight; the row has no token.
    func refreshing() -> GrantStateMachine {
        var (machine, _) = GrantStateMachine.loaded(row(), occasion(.zero))
        _ = machine.due(occasion(.zero))
        _ = machine.begun(version: 1, occasion(.zero))
        return machine
    }

    /// A machine that took a token of 900 s at the start.
    func active() -> GrantStateMachine {
        var machine = refreshing()
        _ = machine.granted(answer("a1", sentAfter: .zero), using: 1, occasion(.zero))
        _ = machine.stored(grantVersion: 1, occasion(.zero))
        return machine
    }

    @Test func aGrantThatIsSwappedGivesItsOwnTokenAtOnce() {
        var machine = active()
        let swapped = row(2, token: "a1", expiresIn: .seconds(900))
        #expect(machine.rowChanged(swapped, occasion(.seconds(60))) == Step(.arm(start + .seconds(60)), .adopt))
        var other = active()
        // Another daemon's rotation brings its token with it.
        let rotated = row(2, token: "a2", expiresIn: .seconds(960))
        #expect(other.rowChanged(rotated, occasion(.seconds(60))) != Step(.arm(start + .seconds(60)), .adopt))
        var busy = active()
        _ = busy.due(occasion(.seconds(540)))
        _ = busy.begun(version: 1, occasion(.seconds(540)))
        _ = busy.rowChanged(swapped, occasion(.seconds(541)))
        let late = busy.granted(answer("late", sentAfter: .seconds(540)), using: 1, occasion(.seconds(542)))
        #expect(
            late == Step(.arm(start + .seconds(542)), .none),
            "the old grant's answer is dropped, and this one's asked for"
        )
    }

    @Test func aTokenThatAnotherDaemonHadTellsWhenItWasHad() {
        var machine = active()
        let memory = GrantMemory(
            status: .active,
            grantVersion: 1,
            generation: 2,
            consecutiveFailures: 0,
            lastError: nil,
            lastRefreshedAt: start.wall + .seconds(500),
            lifetime: .seconds(900)
        )
        let news = row(token: "a2", expiresIn: .seconds(1400), memory: memory)
        #expect(machine.rowChanged(news, occasion(.seconds(510))).effect == .adopt)
        #expect(machine.lastRefreshedAt == start.wall + .seconds(500))
        let replaced = row(2, token: "a1", expiresIn: .seconds(900), memory: nil)
        _ = machine.rowChanged(replaced, occasion(.seconds(520)))
        #expect(machine.lastRefreshedAt == start.wall + .seconds(500), "it is not forgotten either")
    }

    @Test func aRowWithoutATokenIsDueAtOnce() {
        let (machine, step) = GrantStateMachine.loaded(row(), occasion(.zero))
        #expect(step == Step(.arm(start), .none))
        #expect(machine.status(at: start) == .refreshing)
        #expect(machine.prospect(at: start) == .possible)
    }

    @Test func aLiveTokenInTheRowIsAdoptedAndCostsNoRefresh() {
        let (machine, step) = GrantStateMachine.loaded(row(token: "a0", expiresIn: .seconds(900)), occasion(.zero))
        #expect(step == Step(.arm(start + .seconds(540)), .adopt))
        #expect(machine.status(at: start) == .active)
    }

    @Test func aDeadTokenInTheRowIsRefreshedAtOnce() {
        let (machine, step) = GrantStateMachine.loaded(row(token: "a0", expiresIn: .seconds(-1)), occasion(.zero))
        #expect(step == Step(.arm(start), .adopt))
        #expect(machine.life?.isAlive(at: start) == false)
    }

    @Test func anAbsurdExpiryInTheRowIsNotBelievedForMoreThanADay() {
        let (machine, _) = GrantStateMachine.loaded(row(token: "a0", expiresIn: .seconds(10_000_000)), occasion(.zero))
        #expect(machine.life?.remaining(at: start) == .seconds(86_400))
    }

    @Test func aRefreshGoesFromDueToPublished() {
        var (machine, _) = GrantStateMachine.loaded(row(), occasion(.zero))
        #expect(machine.due(occasion(.zero)) == Step(.disarm, .enqueue))
        #expect(machine.begun(version: 1, occasion(.zero)) == Step(.disarm))
        #expect(machine.status(at: start) == .refreshing)
        let given = answer("a1", sentAfter: .zero)
        #expect(
            machine.granted(given, using: 1, occasion(.seconds(1))) == Step(.arm(start + .seconds(2)), .store(given))
        )
        #expect(machine.prospect(at: start) == .underWay)
        #expect(
            machine.stored(grantVersion: 1, occasion(.seconds(2))) == Step(.arm(start + .seconds(540)), .publish(given))
        )
        #expect(machine.status(at: start + .seconds(2)) == .active)
        #expect(machine.lastRefreshedAt == start.wall + .seconds(2))
    }

    @Test func lifeCountsFromWhenTheRequestWasSent() {
        let machine = active()
        #expect(machine.life?.expiresAt == start + .seconds(900))
    }

    @Test func aSecondDueWhileARefreshIsInFlightDoesNothing() {
        var machine = refreshing()
        #expect(machine.due(occasion(.seconds(1))) == .nothing)
        #expect(machine.demanded(occasion(.seconds(1))) == .nothing)
    }

    @Test func aDemandStartsTheRefreshEarly() {
        var machine = active()
        #expect(machine.demanded(occasion(.seconds(100))) == Step(.disarm, .enqueue))
        #expect(machine.prospect(at: start + .seconds(100)) == .underWay)
    }

    @Test(arguments: RefreshFailure.Kind.allCases.filter { $0 != .grantRefused })
    func afterAnyOtherFailureTheAccountBacksOffAndKeepsItsToken(_ kind: RefreshFailure.Kind) {
        var machine = active()
        _ = machine.due(occasion(.seconds(540)))
        _ = machine.begun(version: 1, occasion(.seconds(540)))
        let step = machine.failed(RefreshFailure(kind, text: "x"), using: 1, occasion(.seconds(541), draw: 1))
        #expect(step == Step(.arm(start + .seconds(542))))
        #expect(machine.status(at: start + .seconds(541)) == .degraded)
        #expect(machine.status(at: start + .seconds(901)) == .expired)
        #expect(machine.prospect(at: start + .seconds(541)) == .backingOff(until: start + .seconds(542)))
        #expect(machine.demanded(occasion(.seconds(541))) == .nothing)
    }

    @Test func backoffGrowsUntilAQuarterOfTheLifeLeft() {
        var machine = active()
        var now: Duration = .seconds(800)
        var waits: [Duration] = []
        for _ in 0..<6 {
            _ = machine.due(occasion(now))
            _ = machine.begun(version: 1, occasion(now))
            guard case .arm(let next) = machine.failed(unreachable, using: 1, occasion(now, draw: 1)).deadline else {
                Issue.record("a failure must arm the next try")
                return
            }
            waits.append(next.wall - (start + now).wall)
            now = next.wall - start.wall
        }
        #expect(waits.prefix(5) == [.seconds(1), .seconds(2), .seconds(4), .seconds(8), .seconds(16)])
        #expect(waits[5] == .nanoseconds((Duration.seconds(900) - .seconds(831)).nanoseconds / 4))
    }

    @Test func retryAfterIsNotUndercut() {
        var machine = refreshing()
        let throttled = RefreshFailure(.throttled, httpStatus: 429, text: "slow down", retryAfter: .seconds(30))
        #expect(machine.failed(throttled, using: 1, occasion(.zero)) == Step(.arm(start + .seconds(30))))
    }

    @Test(arguments: [(RefreshFailure.Kind.throttled, 300), (.serverFault, 60)])
    func retryAfterCostsNoAccountAnHour(_ kind: RefreshFailure.Kind, _ seconds: Int) {
        let failure = RefreshFailure(kind, httpStatus: 503, text: "later", retryAfter: .seconds(3600))
        var dead = refreshing()
        #expect(dead.failed(failure, using: 1, occasion(.zero)) == Step(.arm(start + .seconds(seconds))))
        var alive = active()
        _ = alive.due(occasion(.seconds(540)))
        _ = alive.begun(version: 1, occasion(.seconds(540)))
        #expect(alive.failed(failure, using: 1, occasion(.seconds(540))) == Step(.arm(start + .seconds(630))))
    }

    @Test func successEndsTheStreak() {
        var machine = refreshing()
        _ = machine.failed(unreachable, using: 1, occasion(.zero))
        #expect(machine.streak?.count == 1)
        _ = machine.due(occasion(.seconds(1)))
        _ = machine.begun(version: 1, occasion(.seconds(1)))
        _ = machine.granted(answer("a1", sentAfter: .seconds(1)), using: 1, occasion(.seconds(1)))
        _ = machine.stored(grantVersion: 1, occasion(.seconds(1)))
        #expect(machine.streak == nil)
        #expect(machine.lastError == nil)
    }
}

// MARK: - Refusals

extension GrantStateMachineTests {
    @Test func oneRefusalIsNotBelieved() {
        var machine = refreshing()
        let step = machine.failed(refusal, using: 1, occasion(.zero))
        #expect(step == Step(.arm(start + .seconds(10)), .reread), "somebody may have put another grant there")
        #expect(machine.status(at: start) == .expired)
    }

    @Test func twoRefusalsApartMakeTheGrantRefusedAndOnlyProbed() {
        var machine = refreshing()
        _ = machine.failed(refusal, using: 1, occasion(.zero))
        _ = machine.due(occasion(.seconds(10)))
        _ = machine.begun(version: 1, occasion(.seconds(10)))
        let step = machine.failed(refusal, using: 1, occasion(.seconds(10)))
        #expect(step == Step(.arm(start + .seconds(3610)), .reread))
        #expect(machine.status(at: start + .seconds(10)) == .reauthorizationRequired)
        #expect(machine.prospect(at: start + .seconds(10)) == .refused)
        #expect(machine.demanded(occasion(.seconds(11))) == .nothing)
    }

    @Test func aSecondRefusalTooSoonIsTriedOnceMore() {
        var machine = refreshing()
        _ = machine.failed(refusal, using: 1, occasion(.zero))
        _ = machine.due(occasion(.seconds(3)))
        _ = machine.begun(version: 1, occasion(.seconds(3)))
        #expect(machine.failed(refusal, using: 1, occasion(.seconds(3))).deadline == .arm(start + .seconds(10)))
        #expect(machine.status(at: start + .seconds(3)) == .expired)
    }

    @Test func aTokenAboutToDieIsConfirmedSooner() {
        var machine = active()
        _ = machine.due(occasion(.seconds(880)))
        _ = machine.begun(version: 1, occasion(.seconds(880)))
        #expect(machine.failed(refusal, using: 1, occasion(.seconds(880))).deadline == .arm(start + .seconds(885)))
    }

    @Test func aRefusedGrantKeepsItsLiveTokenAndComesBackByAProbe() {
        var machine = refused()
        let probe = machine.due(occasion(.seconds(3610)))
        #expect(probe == Step(.disarm, .enqueue))
        _ = machine.begun(version: 1, occasion(.seconds(3610)))
        #expect(machine.status(at: start + .seconds(3610)) == .reauthorizationRequired)
        let given = answer("a2", sentAfter: .seconds(3610))
        _ = machine.granted(given, using: 1, occasion(.seconds(3610)))
        _ = machine.stored(grantVersion: 1, occasion(.seconds(3610)))
        #expect(machine.status(at: start + .seconds(3610)) == .active)
    }

    @Test func probesGoFromHourlyToDaily() {
        var machine = refused()
        var now: Duration = .seconds(3610)
        var waits: [Duration] = []
        for _ in 0..<26 {
            _ = machine.due(occasion(now))
            _ = machine.begun(version: 1, occasion(now))
            guard case .arm(let next) = machine.failed(refusal, using: 1, occasion(now)).deadline else {
                Issue.record("a refused grant stays under a slow probe")
                return
            }
            waits.append(next.wall - (start + now).wall)
            now = next.wall - start.wall
        }
        #expect(waits.first == .seconds(3600))
        #expect(waits.last == .seconds(86_400))
    }

    @Test func aRefusalIsRememberedOnlyOfTheSameGrant() {
        let memory = GrantMemory(
            status: .reauthorizationRequired,
            grantVersion: 1,
            generation: 3,
            consecutiveFailures: 2,
            lastError: "Grant revoked",
            lastRefreshedAt: nil,
            lifetime: nil
        )
        let (same, step) = GrantStateMachine.loaded(row(1, memory: memory), occasion(.zero))
        #expect(same.status(at: start) == .reauthorizationRequired)
        #expect(step.deadline == .arm(start + .seconds(3600)))
        let (other, _) = GrantStateMachine.loaded(row(2, memory: memory), occasion(.zero))
        #expect(other.status(at: start) == .refreshing)
    }

    @Test func anotherGrantInTheRowEndsTheRefusal() {
        var machine = refused()
        let step = machine.rowChanged(row(2), occasion(.seconds(60)))
        #expect(step.deadline == .arm(start + .seconds(60)))
        #expect(machine.status(at: start + .seconds(60)) == .refreshing)
        #expect(machine.streak == nil)
    }

    func refused() -> GrantStateMachine {
        var machine = refreshing()
        for second in [0, 10] {
            _ = machine.due(occasion(.seconds(second)))
            _ = machine.begun(version: 1, occasion(.seconds(second)))
            _ = machine.failed(refusal, using: 1, occasion(.seconds(second)))
        }
        return machine
    }
}

// MARK: - Rows that change under a refresh

extension GrantStateMachineTests {
    @Test func theResultOfAReplacedGrantIsDroppedWhateverItIs() {
        for result in ["granted", "refused"] {
            var machine = refreshing()
            _ = machine.rowChanged(row(2), occasion(.seconds(1)))
            let step =
                result == "granted"
                ? machine.granted(answer("old", sentAfter: .zero), using: 1, occasion(.seconds(2)))
                : machine.failed(refusal, using: 1, occasion(.seconds(2)))
            #expect(step == Step(.arm(start + .seconds(2))), "\(result)")
            #expect(machine.streak == nil, "\(result)")
            #expect(machine.life == nil, "\(result)")
        }
    }

    @Test func emptyingTheRowStopsRefreshingAndServing() {
        var machine = active()
        #expect(machine.rowChanged(row(nil), occasion(.seconds(1))) == Step(.disarm, .withdraw))
        #expect(machine.status(at: start + .seconds(1)) == .noGrant)
        #expect(machine.due(occasion(.seconds(2))) == .nothing)
    }

    @Test func aLiveTokenBesideAnEmptyGrantIsServedUntilItDies() {
        let (machine, step) = GrantStateMachine.loaded(row(nil, token: "a0", expiresIn: .seconds(60)), occasion(.zero))
        #expect(step == Step(.disarm, .adopt))
        #expect(machine.status(at: start) == .noGrant)
    }

    @Test func aNewerTokenOfTheSameGrantIsAdopted() {
        var machine = active()
        let changed = row(1, token: "a2", expiresIn: .seconds(1300))
        #expect(machine.rowChanged(changed, occasion(.seconds(400))).effect == .adopt)
        #expect(machine.life?.expiresAt.wall == start.wall + .seconds(1300))
    }

    @Test func anOlderOrEmptiedCopyOfTheTokenChangesNothing() {
        var machine = active()
        #expect(machine.rowChanged(row(1, token: "a0", expiresIn: .seconds(300)), occasion(.seconds(1))) == .nothing)
        #expect(machine.rowChanged(row(1), occasion(.seconds(1))) == .nothing)
        #expect(machine.status(at: start + .seconds(1)) == .active)
    }

    @Test func aRowReplacedWhileItStoodInLineIsRefreshedByItsNewGrant() {
        var (machine, _) = GrantStateMachine.loaded(row(), occasion(.zero))
        _ = machine.due(occasion(.zero))
        _ = machine.begun(version: 7, occasion(.zero))
        #expect(machine.grantVersion == 7)
        #expect(machine.granted(answer("a", sentAfter: .zero), using: 7, occasion(.zero)).effect != .none)
    }

    @Test func anUnreadableRowIsNeverRefreshed() {
        let unreadable = GrantRow(
            user: user,
            grant: .unreadable(version: 5, reason: "longer than 16 KiB"),
            accessToken: nil,
            expiresAt: nil,
            memory: nil
        )
        var (machine, step) = GrantStateMachine.loaded(unreadable, occasion(.zero))
        #expect(step == Step(.disarm))
        #expect(machine.status(at: start) == .unreadable)
        #expect(machine.lastError == "longer than 16 KiB")
        #expect(machine.due(occasion(.seconds(1))) == .nothing)
        #expect(machine.demanded(occasion(.seconds(1))) == .nothing)
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport

/// Draws the entries of a ``ChaosPlan``, one after the other.
struct PlanDrawing {
    /// What can have one thing done to it at a time.
    private enum Target: Hashable {
        case daemon(Int)
        case database
        case endpoint
    }

    /// How long a daemon may take to start before something else is done to it.
    private static let startTime = 4.0
    /// How long it usually takes until there is an answer that can be lost.
    private static let orderTime = 1.0

    private let settings: ChaosSettings
    private var random: SeededGenerator
    private var freeAt: [Target: Double] = [:]

    /// Begins to draw a plan.
    init(_ settings: ChaosSettings) {
        self.settings = settings
        random = SeededGenerator(seed: settings.seed)
    }

    /// The whole of it.
    mutating func draw() -> [ChaosPlan.Entry] {
        var entries: [ChaosPlan.Entry] = []
        var time = 1.0
        while time < settings.seconds {
            if let disturbance = draw(at: time) { entries.append(ChaosPlan.Entry(at: time, disturbance: disturbance)) }
            time += number(0.5...3.5)
        }
        return entries
    }

    /// The last daemon is not killed in the second half, so that there is one whose memory can be looked at for long.
    private mutating func draw(at time: Double) -> Disturbance? {
        switch Int.random(in: 0..<21, using: &random) {
        case 0..<6:
            let mayKillAll = time < settings.seconds / 2
            let daemon = Int.random(in: 0..<(mayKillAll ? settings.daemons : settings.daemons - 1), using: &random)
            // Now and then for longer than its claims hold.
            let down = chance(0.15) ? settings.claimFor * number(1.1...1.6) : number(0.05...1.5)
            return book(.daemon(daemon), from: time, for: down + Self.startTime, .kill(daemon: daemon, downFor: down))
        case 6..<9:
            let daemon = Int.random(in: 0..<settings.daemons, using: &random)
            let pause = chance(0.2) ? settings.claimFor * number(1.1...1.4) : number(0.2...2)
            return book(.daemon(daemon), from: time, for: pause, .pause(daemon: daemon, for: pause))
        case 9:
            let daemon = Int.random(in: 0..<(settings.daemons - 1), using: &random)
            return book(.daemon(daemon), from: time, for: Self.startTime, .restart(daemon: daemon))
        case 10..<12:
            let daemon = Int.random(in: 0..<settings.daemons, using: &random)
            let step = number(-3...3)
            guard settings.stepsClocks else { return nil }
            return book(.daemon(daemon), from: time, for: 1, .stepClock(daemon: daemon, to: step))
        case 12..<17: return drawForDatabase(at: time)
        case 17..<19: return drawForEndpoint(at: time)
        default: return .loseReply(account: Int.random(in: 1...settings.accounts, using: &random))
        }
    }

    private mutating func drawForDatabase(at time: Double) -> Disturbance? {
        let long = number(0.3...(settings.claimFor * 0.5))
        switch Int.random(in: 0..<6, using: &random) {
        case 0: return book(.database, from: time, for: 0.5, .cutDatabase)
        case 1: return book(.database, from: time, for: long, .refuseDatabase(for: long))
        case 2: return book(.database, from: time, for: long, .swallowDatabase(for: long))
        case 3: return book(.database, from: time, for: long, .delayDatabase(by: number(0.01...0.15), for: long))
        case 4: return book(.database, from: time, for: Self.orderTime, .loseClaim(silently: chance(0.3)))
        default: return book(.database, from: time, for: Self.orderTime, .loseCommit(silently: chance(0.3)))
        }
    }

    private mutating func drawForEndpoint(at time: Double) -> Disturbance? {
        let long = number(0.5...(settings.claimFor * 0.6))
        let share = number(0.1...0.5)
        return chance(0.5)
            ? book(.endpoint, from: time, for: long, .endpointAway(for: long))
            : book(.endpoint, from: time, for: long, .endpointFlaky(share: share, for: long))
    }

    /// A disturbance of something that is free by then; nil if it is not.
    private mutating func book(
        _ target: Target,
        from time: Double,
        for length: Double,
        _ disturbance: Disturbance
    ) -> Disturbance? {
        guard freeAt[target, default: 0] <= time else { return nil }
        freeAt[target] = time + length + 0.5
        return disturbance
    }

    private mutating func number(_ range: ClosedRange<Double>) -> Double { .random(in: range, using: &random) }

    private mutating func chance(_ share: Double) -> Bool { number(0...1) < share }
}

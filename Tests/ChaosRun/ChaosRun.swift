// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import TestSupport
import TokenSimulator

/// One run, from an empty database to the verdict.
enum ChaosRun {
    private static let secondsToRecover = 60

    /// Runs it.
    ///
    /// - Parameters:
    ///   - settings: how large it is.
    ///   - folder: where to keep what the daemons said if it fails.
    /// - Returns: what came of it.
    /// - Throws: if the installation could not be made.
    static func run(_ settings: ChaosSettings, keepingIn folder: String?) async throws -> Verdict {
        let plan = ChaosPlan(settings)
        print(
            "chaos: seed \(settings.seed), \(settings.seconds.seconds), \(settings.daemons) daemons, \(settings.accounts) "
                + "accounts, tokens of \(settings.life.seconds), claims of \(settings.claimFor.seconds)"
        )
        return try await Installation.with(
            accounts: settings.accounts,
            lifetime: .seconds(settings.life),
            settings: environment(settings),
            simulated: {
                $0.keptRequests = 1_000_000
                $0.randomSeed = settings.seed
            }
        ) { installation in
            try await withDatabaseProxy(before: installation.postgres) { proxy in
                let stage = Stage(settings, installation, proxy)
                let verdict = try await perform(plan, stage)
                if !verdict.failures.isEmpty, let folder {
                    try keep(installation.folder, in: folder, seed: settings.seed)
                }
                return verdict
            }
        }
    }

    private static func environment(_ settings: ChaosSettings) -> [String: String] {
        let milliseconds = { (seconds: Double) in "\(Int(seconds * 1000))ms" }
        return [
            "REFRESH_CLAIM_FOR": milliseconds(settings.claimFor), "REFRESH_TIMEOUT": milliseconds(settings.timeout),
            "REFRESH_CONNECT_TIMEOUT": milliseconds(min(1, settings.timeout)), "REFRESH_MAX_PER_SECOND": "200",
            "REFRESH_BACKOFF_INITIAL": "500ms", "REFRESH_BACKOFF_MAX": "2s", "DATABASE_RECONCILE_EVERY": "2s",
            "LOG_LEVEL": "debug", "REFRESH_DAILY_BUDGET_PER_USER": "100000",
        ]
    }

    private static func perform(_ plan: ChaosPlan, _ stage: Stage) async throws -> Verdict {
        leaveRotationOnly(stage)
        let migrated = try await stage.installation.tastytokend("migrate")
        guard migrated.status == 0 else { throw Overdue(description: "migrate failed: \(migrated.errors)") }
        let daemons = try await ChaosDaemon.all(on: stage)
        for daemon in daemons { try await daemon.start() }
        try await everybodyIsServed(daemons, stage)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for daemon in daemons { group.addTask { try await onThread { Caller.run(stage, daemon) } } }
            group.addTask { try await Nurse(stage, daemons).run() }
            defer { stage.finish() }
            try await Director(stage, daemons).carryOut(plan)
            try stage.proxy.heal()
            // Replies that were to be lost, and were not asked for yet, arrive.
            leaveRotationOnly(stage)
            stage.say("everything is well again")
            do {
                try await everybodyIsServed(daemons, stage)
            } catch {
                stage.note { $0.troubles.append("not everybody was served again: \(error)") }
            }
            try await whatWasLostIsTold(stage)
            stage.finish()
            try await group.waitForAll()
        }
        for daemon in daemons { try await daemon.stop() }
        let evidence = stage.finalEvidence()
        var verdict = Referee.judge(evidence, stage.settings)
        RunJudge.judge(evidence, stage.settings, &verdict)
        return verdict
    }

    /// Takes back all faults of the endpoint, and has each account's provider be of its kind.
    private static func leaveRotationOnly(_ stage: Stage) {
        let simulator = stage.installation.simulator
        for account in 1...stage.settings.accounts {
            simulator.clearFaults(.account("\(account)"))
            if let rotation = stage.settings.kind(of: account).rotation(stage.settings) {
                simulator.set(Fault(.rotation(rotation)), for: .account("\(account)"))
            }
        }
    }

    /// What was lost last has its time to be tried again, refused twice, told, and mended.
    private static func whatWasLostIsTold(_ stage: Stage) async throws {
        try await Task.sleep(for: .seconds(6))
        let end = stage.now + Nurse.mostSilence(stage.settings) + 4
        while stage.now < end {
            let lost = stage.installation.simulator.counts.grantsLost
            if stage.note({ $0.enrolments.count >= lost }) { return }
            try await Task.sleep(for: .milliseconds(500))
        }
    }

    private static func everybodyIsServed(_ daemons: [ChaosDaemon], _ stage: Stage) async throws {
        let paths = (1...stage.settings.accounts).map { "/v1/users/\($0)/token?min_ttl=0&max_wait=0" }
        for daemon in daemons {
            let socket = daemon.socket
            var lacking: [Int] = []
            try await eventually(within: secondsToRecover, "daemon \(daemon.number) has no token for \(lacking)") {
                lacking = try await onThread {
                    var probe = try SocketProbe(at: socket)
                    return zip(1..., try probe.get(paths)).filter { $1.status != 200 }.map(\.0)
                }
                return lacking.isEmpty
            }
        }
    }

    /// What the programs said; no token is in there.
    private static func keep(_ from: String, in parent: String, seed: UInt64) throws {
        let folder = "\(parent)/seed-\(seed)"
        try? FileManager.default.removeItem(atPath: folder)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for name in try FileManager.default.contentsOfDirectory(atPath: from) where name.hasSuffix(".err") {
            try FileManager.default.copyItem(atPath: "\(from)/\(name)", toPath: "\(folder)/\(name)")
        }
        print("What the daemons said is in \(folder).")
    }
}

extension AccountKind {
    /// What the simulator does for it; nil if nothing.
    fileprivate func rotation(_ settings: ChaosSettings) -> Rotation? {
        switch self {
        case .strict: .strict
        case .grace: .grace(.seconds(settings.life))
        case .plain: nil
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import TestSupport
import TokenSimulator

/// Puts another grant into the row of whoever needs a person, as a person would, and takes the pulse of every process.
struct Nurse {
    /// How long it takes a person to act.
    private static let delay = 1.0

    private let stage: Stage
    private let daemons: [ChaosDaemon]

    init(_ stage: Stage, _ daemons: [ChaosDaemon]) {
        (self.stage, self.daemons) = (stage, daemons)
    }

    /// How long a grant may be dead before some daemon must have said so.
    static func mostSilence(_ settings: ChaosSettings) -> Double { 1.5 * settings.life }

    /// Goes on until the run is finished.
    func run() async throws {
        while !stage.isFinished {
            for account in due() { try await enrol(account) }
            for pid in daemons.compactMap(\.pid) { weigh(pid) }
            try await Task.sleep(for: .seconds(1))
        }
    }

    /// Whose grant is dead, and has been for long enough.
    private func due() -> [Int] {
        let now = stage.now
        let calls = stage.installation.simulator.accountCounts
        return stage.note { evidence in
            (1...stage.settings.accounts).filter { account in
                let mended = evidence.enrolments.count { $0.account == account }
                guard calls["\(account)"]?.grantsLost ?? 0 > mended else { return false }
                let last = evidence.enrolments.last { $0.account == account }?.at ?? 0
                let told = evidence.endings.first { $0.account == account && $0.at > last }
                if let told { return now >= told.at + Self.delay }
                let silent = evidence.silentSince[account] ?? now
                evidence.silentSince[account] = silent
                return now >= silent + Self.mostSilence(stage.settings)
            }
        }
    }

    private func enrol(_ account: Int) async throws {
        let grant = try stage.installation.simulator.makeGrant(for: "\(account)")
        try await stage.installation.postgres.execute(
            "UPDATE users SET tastytrade_oauth_refresh_token = '\(grant)' WHERE id = \(account)"
        )
        let now = stage.now
        stage.note { evidence in
            evidence.silentSince[account] = nil
            evidence.enrolments.append(Evidence.Enrolment(at: now, account: account))
        }
        stage.say("account \(account) is given another grant")
    }

    private func weigh(_ pid: Int32) {
        guard let status = try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8),
            let line = status.split(separator: "\n").first(where: { $0.hasPrefix("RssAnon:") }),
            let kibibytes = Int(line.filter(\.isNumber)),
            let descriptors = try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd").count
        else { return }
        let vitals = Evidence.Vitals(at: stage.now, kibibytes: kibibytes, descriptors: descriptors)
        stage.note { $0.vitals[pid, default: []].append(vitals) }
    }
}

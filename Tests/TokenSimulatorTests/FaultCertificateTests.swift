// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import FoundationEssentials
import TestSupport
import Testing

@testable import TokenSimulator

/// TLS as curl sees it.
@Suite(.timeLimit(.minutes(2))) struct FaultCertificateTests {
    /// Calls over a new connection; gives curl's exit status, what it got, and what it said.
    private func curl(_ words: String..., simulator: TokenSimulator) async throws -> Program {
        let file = FileManager.default.temporaryDirectory.appending(path: "ttd-\(UUID().uuidString.prefix(8)).pem")
        try Data((simulator.authorityPEM ?? "").utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        return try await Program.run(
            ["curl", "-sSf", "--max-time", "60", "--noproxy", "*", "--cacert", file.path()] + words
        )
    }

    private func withSimulator(_ body: (TokenSimulator) async throws -> Void) async throws {
        let configuration = SimulatorConfiguration(keySeed: "test", randomSeed: 7)
        let simulator = try await TokenSimulator.start(configuration, clock: SimulatorInstant.systemNow)
        do {
            try await body(simulator)
        } catch {
            try await simulator.stop()
            throw error
        }
        try await simulator.stop()
    }

    @Test(arguments: zip(OddCertificate.allCases, ["expired", "not yet valid", "subject name", "local issuer"]))
    func aCertificateThatIsNoGoodIsRefusedUntilTheFaultIsCleared(kind: OddCertificate, words: String) async throws {
        try await withSimulator { simulator in
            let counts = simulator.url + "/_sim/counts"
            let order = #"{"mode":"certificate","kind":"\#(kind.rawValue)"}"#
            let set = try await curl(simulator.url + "/_sim/faults", "-d", order, simulator: simulator)
            #expect(set.status == 0, "\(set.errors)")
            let refused = try await curl(counts, simulator: simulator)
            #expect(refused.status == 60)
            #expect(refused.errors.contains(words), "\(refused.errors)")
            let cleared = try await curl("-k", "-X", "DELETE", simulator.url + "/_sim/faults", simulator: simulator)
            #expect(cleared.status == 0, "\(cleared.errors)")
            let good = try await curl(counts, simulator: simulator)
            #expect(good.status == 0, "\(good.errors)")
            #expect(simulator.counts.connections == 4)
        }
    }

    @Test func theCertificateIsGoodForEachNameOfLoopback() async throws {
        try await withSimulator { simulator in
            let reply = try await curl("https://localhost:\(simulator.port)/_sim/counts", simulator: simulator)
            #expect(reply.status == 0, "\(reply.errors)")
            #expect(reply.output.contains(#""requests":0"#))
        }
    }
}

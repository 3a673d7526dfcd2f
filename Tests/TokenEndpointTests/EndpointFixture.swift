// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import FoundationEssentials
import TestSupport
import Testing
import TokenCore
import TokenSimulator

@testable import TokenEndpoint

/// A simulator, a client that trusts it, and a grant; all ended afterwards.
struct EndpointFixture: Sendable {
    let simulator: TokenSimulator
    let client: TokenEndpointClient
    let registration: ClientRegistration
    let grant: Secret
    /// The simulator's authority; nil without TLS.
    let caFile: String?

    func refresh() async throws(RefreshFailure) -> TokenAnswer {
        try await client.refresh(grant, for: registration)
    }

    func failure() async throws -> RefreshFailure {
        try await #require(throws: RefreshFailure.self) { _ = try await refresh() }
    }

    static func with(
        tls: Bool = false,
        host: String = "127.0.0.1",
        clockRuns: Bool = false,
        _ adjust: (inout EndpointConfiguration) -> Void = { _ in },
        _ body: (EndpointFixture) async throws -> Void
    ) async throws {
        let caFile = FileManager.default.temporaryDirectory.appending(path: "tastysim-\(UUID().uuidString).pem")
        defer { try? FileManager.default.removeItem(at: caFile) }
        var simulated = SimulatorConfiguration(keySeed: "test", randomSeed: 1)
        simulated.usesTLS = tls
        simulated.host = host
        simulated.caFile = caFile.path
        let simulator = try await TokenSimulator.start(simulated, clock: SimulatorInstant.systemNow)
        var configuration = EndpointConfiguration(version: "1.2.3")
        configuration.caFile = tls ? caFile.path : nil
        adjust(&configuration)
        let began = ContinuousClock.now
        let client = try TokenEndpointClient(
            configuration,
            clock: { clockRuns ? .newYear + began.duration(to: .now) : .newYear }
        )
        let fixture = EndpointFixture(
            simulator: simulator,
            client: client,
            registration: .test(apiURL: simulator.url, secret: simulated.client.secret),
            grant: Secret(try simulator.makeGrant(for: "42")),
            caFile: configuration.caFile
        )
        let result: Result<Void, any Error>
        do {
            result = .success(try await body(fixture))
        } catch {
            result = .failure(error)
        }
        await client.shutdown()
        try await simulator.stop()
        try result.get()
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import Testing
import TokenCore
import TokenSimulator

@testable import TokenEndpoint

/// H17: connections that are kept. What depends on the resolver is in the end-to-end tests.
extension HardCasesTests {
    /// Leaves that many connections behind.
    private func open(_ count: Int, _ fixture: EndpointFixture) async throws {
        fixture.simulator.set(Fault(.latency(.milliseconds(500) ... .milliseconds(500)), count: count))
        let grants = try (0..<count).map { Secret(try fixture.simulator.makeGrant(for: "user-\($0)")) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for grant in grants {
                group.addTask { _ = try await fixture.client.refresh(grant, for: fixture.registration) }
            }
            try await group.waitForAll()
        }
        #expect(fixture.simulator.counts.connections == count)
    }

    @Test("H17: where one connection fell silent, no other that was kept is tried")
    func h17SilentBackend() async throws {
        try await EndpointFixture.with(tls: true, clockRuns: true, { $0.timeout = .seconds(2) }) { fixture in
            try await open(3, fixture)
            fixture.simulator.set(Fault(.hang(.before), count: 1))
            let failure = try await fixture.failure()
            #expect(failure.kind == .timeout)
            _ = try await fixture.refresh()
            #expect(fixture.simulator.counts.connections == 4, "a fresh one, though two were at hand")
            _ = try await fixture.refresh()
            #expect(fixture.simulator.counts.connections == 4, "which is kept in its turn")
        }
    }

    @Test("H17: a reply that came, however bad, says nothing against the connections")
    func h17BadReply() async throws {
        try await EndpointFixture.with(tls: true) { fixture in
            try await open(2, fixture)
            fixture.simulator.set(Fault(.errorPage(ErrorPage(503, body: .html)), count: 1))
            let failure = try await fixture.failure()
            #expect(failure.kind == .serverFault)
            _ = try await fixture.refresh()
            #expect(fixture.simulator.counts.connections == 2)
        }
    }

    @Test("H17: a connection that is always in use does not stay for ever")
    func h17BusyConnection() async throws {
        try await EndpointFixture.with({ $0.usesPerConnection = 5 }) { fixture in
            for _ in 0..<11 { _ = try await fixture.refresh() }
            #expect(fixture.simulator.counts.connections == 3)
        }
        #expect(EndpointConfiguration(version: "1").usesPerConnection == 100)
    }
}

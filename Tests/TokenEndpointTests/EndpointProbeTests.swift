// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import TestSupport
import Testing
import TokenCore
import TokenSimulator

@testable import TokenEndpoint

/// A look at the endpoint that asks it nothing.
@Suite(.timeLimit(.minutes(1))) struct EndpointProbeTests {
    private func port(_ fixture: EndpointFixture) throws -> Int {
        try #require(URL(string: fixture.simulator.url)?.port)
    }

    private func probe(_ host: String, _ port: Int, tls: Bool = true, caFile: String? = nil) -> EndpointProbe {
        EndpointProbe(host: host, port: port, isSecure: tls, caFile: caFile, timeout: .seconds(5))
    }

    @Test func aServerThatTheFilesAuthoritiesKnowIsTrustedAndNotAsked() async throws {
        var file: String?
        try await EndpointFixture.with(tls: true) {
            file = $0.caFile
        } _: { fixture in
            let finding = try await probe("127.0.0.1", port(fixture), caFile: file).run()
            #expect(finding.address == "127.0.0.1" && finding.tlsVersion?.isEmpty == false)
            let named = try await probe("localhost", port(fixture), caFile: file).run()
            #expect(named.tlsVersion != nil)
            #expect(fixture.simulator.counts.requests == 0)
        }
    }

    @Test func oneThatTheyDoNotKnowIsNot() async throws {
        try await EndpointFixture.with(tls: true) { fixture in
            let failure = try await #require(throws: RefreshFailure.self) {
                _ = try await probe("127.0.0.1", port(fixture)).run()
            }
            #expect(failure.kind == .tls && failure.text.contains("certificate verify failed"), "\(failure.text)")
        }
    }

    @Test func aServerWithoutTLSIsReachedAndIsNoServerWithIt() async throws {
        try await EndpointFixture.with { fixture in
            #expect(try await probe("127.0.0.1", port(fixture), tls: false).run().tlsVersion == nil)
            let failure = try await #require(throws: RefreshFailure.self) {
                _ = try await probe("127.0.0.1", port(fixture)).run()
            }
            #expect(failure.kind == .tls, "\(failure)")
        }
    }

    @Test func aNameThatNobodyHasAndAPortThatNobodyListensAtAreToldApart() async throws {
        let unknown = try await #require(throws: RefreshFailure.self) {
            _ = try await probe("nosuchhost.invalid", 443).run()
        }
        #expect(unknown.kind == .nameResolution && unknown.text.contains("nosuchhost.invalid:443"))
        let closed = try await #require(throws: RefreshFailure.self) { _ = try await probe("127.0.0.1", 1).run() }
        #expect(closed.kind == .connect && closed.text.contains("127.0.0.1:1"))
    }

    @Test func aServerThatSaysNothingIsNotWaitedForLongerThanSaid() async throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(listener) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let port = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                guard bind(listener, pointer, length) == 0, listen(listener, 1) == 0 else { return }
                getsockname(listener, pointer, &length)
            }
            return Int(UInt16(bigEndian: pointer.pointee.sin_port))
        }
        try #require(port > 0)
        let silent = EndpointProbe(
            host: "127.0.0.1",
            port: port,
            isSecure: true,
            caFile: nil,
            timeout: .milliseconds(200)
        )
        let failure = try await #require(throws: RefreshFailure.self) { _ = try await silent.run() }
        #expect(failure.kind == .connect, "\(failure)")
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import CLinux
import Glibc
import InMemoryLogging
import Logging
import MetricsText
import TestSupport
import Testing
import TokenCore

@testable import SocketServer

/// The server of `/metrics` over TCP, at a port that the kernel chooses.
@Suite struct MetricsServerTests {
    private let log = InMemoryLogHandler()
    private let metrics = MetricRegistry(SocketMetrics.descriptions)

    private var server: MetricsServer {
        get throws {
            let service = SocketService(
                serving: BoardDouble(),
                enrolling: nil,
                authorizing: nil,
                pages: nil,
                clock: { .newYear },
                access: AccessInForce(AccessRules(ownUser: 1000)),
                limits: SocketLimits(),
                facts: .standIn,
                logger: Logger(label: "test") { [log] _ in log },
                metrics: SocketMetrics(metrics) { [metrics] in metrics.text },
                audit: .silent,
                usesShortWay: false
            )
            return MetricsServer(at: try #require(LoopbackAddress(host: "127.0.0.1", port: 0)), service: service)
        }
    }

    /// The port that the server says it listens at.
    private func port() async throws -> UInt16 {
        while log.entries.isEmpty { await Task.yield() }
        let place = try #require(log.entries.first?.metadata["metrics.listen"]).description
        return try #require(place.split(separator: ":").last.flatMap { UInt16($0) })
    }

    private func connected(to port: UInt16) throws -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var patience = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = port.bigEndian
        name.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let status = withUnsafePointer(to: &name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(status == 0)
        return descriptor
    }

    /// Asks one question on a connection of its own; the answer is there whole once that ends.
    private func ask(_ method: String, _ target: String, host: String, at port: UInt16) throws -> RawReply {
        let descriptor = try connected(to: port)
        defer { close(descriptor) }
        let fields = "Host: \(host)\r\nOrigin: http://evil.example\r\nConnection: close"
        let request = Array("\(method) \(target) HTTP/1.1\r\n\(fields)\r\n\r\n".utf8)
        try #require(send(descriptor, request, request.count, Int32(MSG_NOSIGNAL)) == request.count)
        var reply: [UInt8] = []
        var bytes = [UInt8](repeating: 0, count: 4096)
        while case let count = recv(descriptor, &bytes, bytes.count, 0), count > 0 { reply += bytes.prefix(count) }
        return try RawReply(String(decoding: reply, as: UTF8.self))
    }

    @Test(.timeLimit(.minutes(1))) func everybodyGetsTheMetricsWithoutLeaveForOtherOrigins() async throws {
        let server = try server
        let running = Task { await server.run() }
        let port = try await port()
        for host in ["127.0.0.1:\(port)", "LocalHost:\(port)"] {
            let reply = try ask("GET", "/metrics", host: host, at: port)
            #expect(reply.status == 200 && reply.fields["content-type"]?.hasPrefix("text/plain; version=0.0.4") == true)
            #expect(reply.fields.keys.allSatisfy { !$0.hasPrefix("access-control-") })
        }
        let reply = try ask("GET", "/metrics?x=1", host: "127.0.0.1:\(port)", at: port)
        #expect(reply.body.contains("tastytokend_requests_total{code=\"200\",route=\"/metrics\"} 2\n"))
        #expect(try ask("HEAD", "/metrics", host: "127.0.0.1:\(port)", at: port).body.isEmpty)
        running.cancel()
        await running.value
    }

    @Test(.timeLimit(.minutes(1))) func whoComesBeyondTheCapIsRefusedAndCounted() async throws {
        let server = try server
        let running = Task { await server.run() }
        let port = try await port()
        let refused = "tastytokend_connections_refused_total{reason=\"too_many\"}"
        let within = try (0..<32).map { _ in try connected(to: port) }
        let beyond = try connected(to: port)
        var reply = [UInt8](repeating: 0, count: 4096)
        let count = recv(beyond, &reply, reply.count, 0)
        #expect(String(decoding: reply.prefix(max(count, 0)), as: UTF8.self).hasPrefix("HTTP/1.1 503 "))
        #expect(metrics.text.contains("\n\(refused) 1\n"))
        for descriptor in within + [beyond] { close(descriptor) }
        running.cancel()
        await running.value
        #expect(log.entries.count == 1, "an end that was asked for is no loss")
    }
}

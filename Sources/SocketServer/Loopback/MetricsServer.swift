// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import CoreMetrics
import Logging
import NIOCore
import NIOPosix

/// Serves `/metrics` over TCP on loopback, for scrapers that speak no Unix socket (product.md, `metrics.listen`).
///
/// Its connections are on the general way, with its limits and deadlines. Without it the daemon lacks nothing, so that an
/// address which cannot be had is said once and asked for again.
package struct MetricsServer: Sendable {
    /// Connections open at a time: a scraper needs one.
    private static let mostConnections = 32
    /// Descriptors open at a time: connections, the listener, three of the event loop, and some being refused.
    package static let mostDescriptors = mostConnections + 8
    /// Between two tries to listen: twice the time before, from the first to the last.
    private static let pauses: (first: Duration, last: Duration) = (.seconds(1), .seconds(60))

    private let address: LoopbackAddress
    private let service: SocketService

    /// A server that does not listen yet.
    init(at address: LoopbackAddress, service: SocketService) {
        self.address = address
        self.service = service
    }

    /// Listens and answers until the task is cancelled. A scrape that is under way then is cut off.
    package func run() async {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        var wait = Self.pauses.first
        var wasTold = false
        while !Task.isCancelled {
            do {
                let listener = try await listen(on: group)
                tell(listener)
                (wait, wasTold) = (Self.pauses.first, false)
                await untilClosed(listener)
                if !Task.isCancelled { tellOfLoss() }
            } catch {
                if !wasTold { tell(error) }
                wasTold = true
            }
            guard !Task.isCancelled else { break }
            await pause(wait, on: group.next())
            wait = min(wait * 2, Self.pauses.last)
        }
        try? await group.shutdownGracefully()
    }

    private func listen(on group: MultiThreadedEventLoopGroup) async throws -> any Channel {
        let open = OpenConnections(atMost: Self.mostConnections)
        return try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: Int32(Self.mostConnections))
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelInitializer { listener in
                // With no descriptor left, a listening socket would stay readable for ever.
                listener.eventLoop.makeCompletedFuture {
                    try listener.pipeline.syncOperations.addHandler(AcceptBackoffHandler())
                }
            }
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try set(up: channel, open) }
            }
            .bind(to: SocketAddress(ipAddress: address.host, port: address.port)).get()
    }

    private func set(up channel: any Channel, _ open: OpenConnections) throws {
        guard open.enter() else {
            service.metrics.refusedForNumber.increment()
            return try channel.pipeline.syncOperations.addHandler(NoRoom())
        }
        channel.closeFuture.whenComplete { _ in open.leave() }
        let names = LoopbackAddress(channel.localAddress)?.names ?? []
        // Nobody goes back from here: the short way is the socket's.
        let gate = ConnectionGate(.anybody(calling: names), service: service) { _ in false }
        try channel.pipeline.syncOperations.addHandler(gate)
    }

    /// Comes back when the listener is closed, by itself or since the task is cancelled.
    private func untilClosed(_ listener: any Channel) async {
        await withTaskCancellationHandler {
            try? await listener.closeFuture.get()
        } onCancel: {
            listener.close(promise: nil)
        }
    }

    /// Waits so long, or until the task is cancelled.
    private func pause(_ time: Duration, on eventLoop: any EventLoop) async {
        let timer = eventLoop.scheduleTask(in: TimeAmount(time)) {}
        await withTaskCancellationHandler {
            try? await timer.futureResult.get()
        } onCancel: {
            timer.cancel()
        }
    }

    private func tell(_ listener: any Channel) {
        let place = LoopbackAddress(listener.localAddress) ?? address
        service.logger.notice("metrics are served over TCP", metadata: ["metrics.listen": "\(place)"])
    }

    private func tellOfLoss() {
        service.logger.warning(
            "metrics are no longer served over TCP, the address is asked for again; they are on the socket",
            metadata: ["metrics.listen": "\(address)"]
        )
    }

    private func tell(_ error: any Error) {
        let reason = (error as? IOError).map { systemErrorText($0.errnoCode) } ?? "\(error)"
        service.logger.warning(
            "metrics cannot be served over TCP yet, they are on the socket",
            metadata: ["metrics.listen": "\(address)", "reason": "\(reason)"]
        )
    }
}

extension LoopbackAddress {
    /// Where a channel's socket listens.
    fileprivate init?(_ address: SocketAddress?) {
        guard let address, let host = address.ipAddress, let port = address.port else { return nil }
        self.init(host: host, port: port)
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization

/// The listening socket and its connections.
final class SimulatorServer: Sendable {
    /// How long a connection on which nothing happens is kept, as nginx keeps it.
    private static let idleTime: TimeAmount = .seconds(75)

    private let group: MultiThreadedEventLoopGroup
    private let listener: any Channel
    private let connections: ConnectionRegistry

    /// The port that it listens on.
    var port: Int { listener.localAddress?.port ?? 0 }

    /// A loop for timers.
    var eventLoop: any EventLoop { group.any() }

    private init(group: MultiThreadedEventLoopGroup, listener: any Channel, connections: ConnectionRegistry) {
        self.group = group
        self.listener = listener
        self.connections = connections
    }

    /// Listens; `tls` is nil for plain HTTP.
    static func start(
        _ configuration: SimulatorConfiguration,
        service: SimulatorService,
        tls: NIOSSLContext?
    ) async throws -> SimulatorServer {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: configuration.eventLoops)
        let connections = ConnectionRegistry(limit: configuration.maximumConnections)
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard !service.resetsConnection(isOneTooMany: !connections.add(channel)) else {
                        return channel.abort()
                    }
                    try configure(channel, service: service, tls: tls)
                }
            }
        do {
            let listener = try await bootstrap.bind(host: configuration.host, port: configuration.port).get()
            return SimulatorServer(group: group, listener: listener, connections: connections)
        } catch {
            try? await group.shutdownGracefully()
            throw SimulatorFailure("cannot listen on \(configuration.host):\(configuration.port): \(error)")
        }
    }

    private static func configure(_ channel: any Channel, service: SimulatorService, tls: NIOSSLContext?) throws {
        let pipeline = channel.pipeline.syncOperations
        if let tls { try pipeline.addHandler(NIOSSLServerHandler(context: tls)) }
        try pipeline.configureHTTPServerPipeline(withPipeliningAssistance: true, withErrorHandling: true)
        try pipeline.addHandler(IdleStateHandler(allTimeout: idleTime))
        try pipeline.addHandler(ExchangeHandler(service: service))
    }

    /// Stops listening, ends all connections at once, and ends the threads.
    func stop() async throws {
        try await listener.close()
        for connection in connections.close() { connection.eventLoop.execute { connection.abort() } }
        try await group.shutdownGracefully()
    }
}

/// The connections there are, with their bound.
private final class ConnectionRegistry: Sendable {
    private struct State {
        var channels: [ObjectIdentifier: any Channel] = [:]
        var isClosed = false
    }

    private let limit: Int
    private let state = Mutex(State())

    /// Takes the bound.
    init(limit: Int) {
        self.limit = limit
    }

    /// Takes a connection in until it ends; false if there are too many, or the server is stopping.
    func add(_ channel: any Channel) -> Bool {
        let key = ObjectIdentifier(channel)
        let isAdded = state.withLock { state in
            guard !state.isClosed, state.channels.count < limit else { return false }
            state.channels[key] = channel
            return true
        }
        channel.closeFuture.whenComplete { _ in self.state.withLock { $0.channels[key] = nil } }
        return isAdded
    }

    /// Takes in no more, and gives those there are.
    func close() -> [any Channel] {
        state.withLock { state in
            state.isClosed = true
            return Array(state.channels.values)
        }
    }
}

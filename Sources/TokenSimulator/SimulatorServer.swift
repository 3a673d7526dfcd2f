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

    /// Whether it listens. Going down and coming back take turns, whoever asks.
    fileprivate enum Listening {
        case up(any Channel)
        case down(PortKeeper)
        case changing
        case stopped
    }

    private let group: MultiThreadedEventLoopGroup
    private let listen: @Sendable (_ port: Int) async throws(SimulatorFailure) -> any Channel
    private let listening: Mutex<Listening>
    private let connections: ConnectionRegistry

    /// The port that it listens on.
    let port: Int

    /// A loop for timers.
    var eventLoop: any EventLoop { group.any() }

    private init(
        group: MultiThreadedEventLoopGroup,
        listener: any Channel,
        connections: ConnectionRegistry,
        listen: @escaping @Sendable (_ port: Int) async throws(SimulatorFailure) -> any Channel
    ) {
        self.group = group
        self.port = listener.localAddress?.port ?? 0
        self.listening = Mutex(.up(listener))
        self.connections = connections
        self.listen = listen
    }

    /// Listens; `tls` is nil for plain HTTP.
    static func start(
        _ configuration: SimulatorConfiguration,
        service: SimulatorService,
        tls: SimulatorTLS?
    ) async throws -> SimulatorServer {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: configuration.eventLoops)
        let connections = ConnectionRegistry(limit: configuration.maximumConnections)
        let host = configuration.host
        let listen = { @Sendable (port: Int) async throws(SimulatorFailure) -> any Channel in
            do {
                let bootstrap = Self.bootstrap(on: group, connections, service: service, tls: tls)
                return try await bootstrap.bind(host: host, port: port).get()
            } catch {
                throw SimulatorFailure("cannot listen on \(host):\(port): \(error)")
            }
        }
        do {
            let listener = try await listen(configuration.port)
            return SimulatorServer(group: group, listener: listener, connections: connections, listen: listen)
        } catch {
            try? await group.shutdownGracefully()
            throw error
        }
    }

    private static func bootstrap(
        on group: MultiThreadedEventLoopGroup,
        _ connections: ConnectionRegistry,
        service: SimulatorService,
        tls: SimulatorTLS?
    ) -> ServerBootstrap {
        ServerBootstrap(group: group)
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
    }

    private static func configure(_ channel: any Channel, service: SimulatorService, tls: SimulatorTLS?) throws {
        let pipeline = channel.pipeline.syncOperations
        if let tls { try pipeline.addHandler(NIOSSLServerHandler(context: try tls.context(service.certificate))) }
        try pipeline.configureHTTPServerPipeline(withPipeliningAssistance: true, withErrorHandling: true)
        try pipeline.addHandler(IdleStateHandler(allTimeout: idleTime))
        try pipeline.addHandler(ExchangeHandler(service: service))
    }

    /// Stops listening, ends all connections at once, and ends the threads.
    func stop() async throws {
        if case .up(let listener) = change(to: .stopped) { try await listener.close() }
        for connection in connections.close() { connection.eventLoop.execute { connection.abort() } }
        try await group.shutdownGracefully()
    }
}

extension SimulatorServer {
    /// Refuses connections from now on, and ends those there are with RST; nothing happens if it does so already.
    func goDown() async throws {
        guard let listener = listening.withLock({ $0.takeUp() }) else { return }
        try await listener.close()
        for connection in connections.all { connection.eventLoop.execute { connection.abort() } }
        settle(.down(PortKeeper(listener.localAddress)))
    }

    /// Listens again at the same port; nothing happens if it does so already.
    func comeBack() async throws {
        guard let keeper = listening.withLock({ $0.takeDown() }) else { return }
        do {
            let listener = try await listen(port)
            guard settle(.up(listener)) else { return try await listener.close() }
        } catch {
            settle(.down(keeper))
            throw error
        }
    }

    /// Goes down for a time; by the time of the machine, since nobody could ask for the end of it over the network. That it can
    /// come back is sure, since the port is kept meanwhile.
    func goDown(for time: Duration) async throws {
        try await goDown()
        eventLoop.scheduleTask(in: .nanoseconds(time.nanoseconds)) { Task { try await self.comeBack() } }
    }

    @discardableResult
    private func change(to new: Listening) -> Listening {
        listening.withLock { listening in
            defer { listening = new }
            return listening
        }
    }

    /// Ends a change, unless the server was stopped meanwhile.
    @discardableResult
    private func settle(_ new: Listening) -> Bool {
        listening.withLock { listening in
            if case .stopped = listening { return false }
            listening = new
            return true
        }
    }
}

extension SimulatorServer.Listening {
    /// Begins to go down.
    fileprivate mutating func takeUp() -> (any Channel)? {
        guard case .up(let listener) = self else { return nil }
        self = .changing
        return listener
    }

    /// Begins to come back.
    fileprivate mutating func takeDown() -> PortKeeper? {
        guard case .down(let keeper) = self else { return nil }
        self = .changing
        return keeper
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

    /// Those there are.
    var all: [any Channel] { state.withLock { Array($0.channels.values) } }

    /// Takes in no more, and gives those there are.
    func close() -> [any Channel] {
        state.withLock { state in
            state.isClosed = true
            return Array(state.channels.values)
        }
    }
}

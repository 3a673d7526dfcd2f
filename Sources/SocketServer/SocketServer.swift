// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Glibc
package import Logging
import NIOCore
import NIOPosix
package import TokenCore

/// The socket's server: HTTP/1.1 for the programs of this host (product.md, Socket API).
///
/// It answers from memory. It is started once and stopped once; between the two it needs nobody.
package actor SocketServer {
    private struct Running {
        let group: MultiThreadedEventLoopGroup
        let thread: NIOThreadPool
        let inbox: LoopInbox
        let registry: ConnectionRegistry
        var keeper: SocketKeeper
    }

    /// How long callers have to read their last reply.
    private static let farewell: TimeAmount = .seconds(1)

    private let service: SocketService
    private var running: Running?
    private var wasStarted = false

    /// A server that does not listen yet.
    ///
    /// - Parameters:
    ///   - serving: the engine.
    ///   - enrolling: who connects accounts; nil where nobody does.
    ///   - authorizing: who sends people to TastyTrade and takes them back; nil where nobody does.
    ///   - pages: the web pages; nil where there are none.
    ///   - diagnosing: who looks for what is wrong with accounts; nil where nobody does.
    ///   - clock: both clocks, read for every answer.
    ///   - access: who may ask for what.
    ///   - facts: what the status tells of the daemon itself.
    ///   - limits: what connections may take.
    ///   - logger: for what callers cannot be told.
    ///   - metrics: where answers are counted, and who gives the text of `/metrics`.
    ///   - audit: how much is recorded of who took whose token.
    ///   - usesShortWay: false sends every request on the socket the general way, to compare the two; what is served over
    ///     TCP goes that way always.
    package init(
        serving: any TokenServing,
        enrolling: (any Enrolling)? = nil,
        authorizing: (any Authorizing)? = nil,
        pages: (any PageLinking)? = nil,
        diagnosing: (any Diagnosing)? = nil,
        clock: @escaping ClockReading,
        access: AccessRules,
        facts: ServiceFacts,
        limits: SocketLimits = SocketLimits(),
        logger: Logger,
        metrics: SocketMetrics = .unrecorded,
        audit: AuditSettings = AuditSettings(),
        usesShortWay: Bool = true
    ) {
        self.service = SocketService(
            serving: serving,
            enrolling: enrolling,
            authorizing: authorizing,
            pages: pages,
            diagnosing: diagnosing,
            clock: clock,
            access: AccessInForce(access),
            limits: limits,
            facts: facts,
            logger: logger,
            metrics: metrics,
            audit: TokenAudit(audit, logger: logger),
            usesShortWay: usesShortWay
        )
    }

    /// Listens and answers from here on. A failure leaves nothing behind.
    package func start(at place: SocketPlace) async throws(SocketServerError) {
        guard !wasStarted else { throw .alreadyStarted }
        wasStarted = true
        let socket = try ListeningSocket.open(place, backlog: service.limits.backlog)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: service.limits.eventLoops)
        do {
            let keeper = SocketKeeper(place, socket, backlog: service.limits.backlog, logger: service.logger)
            running = try run(socket, keeper, group, at: place.words)
            service.logger.info("socket answers", metadata: ["socket.path": "\(place.words)"])
        } catch {
            close(socket.descriptor)
            socket.file?.remove()
            try? await group.shutdownGracefully()
            throw error
        }
    }

    private func run(
        _ socket: ListeningSocket,
        _ keeper: SocketKeeper,
        _ group: MultiThreadedEventLoopGroup,
        at path: String
    ) throws(SocketServerError) -> Running {
        let registry = ConnectionRegistry(service.limits)
        let inbox = try LoopInbox(for: path)
        let loop: ShortLoop
        do throws(SocketServerError) {
            loop = try ShortLoop(
                listener: socket.descriptor,
                at: path,
                inbox: inbox,
                service: service,
                registry: registry,
                general: GeneralWay(group: group, service: service, registry: registry, inbox: inbox)
            )
        } catch {
            _ = inbox.end()
            throw error
        }
        let thread = NIOThreadPool(numberOfThreads: 1)
        thread.start()
        thread.submit { _ in loop.run() }
        return Running(group: group, thread: thread, inbox: inbox, registry: registry, keeper: keeper)
    }

    /// Sees whether callers still find the socket at its path, and makes its file anew if that can be; what is wrong is
    /// said in the log. To be called now and then: nobody else tells of it.
    package func lookAfterFile() {
        guard let descriptor = running?.keeper.look() else { return }
        if running?.inbox.post(.listen(descriptor)) != true { close(descriptor) }
    }

    /// Judges by these rules from now on, also who is connected already and who waits for an answer; whoever waits for what became of a
    /// change is told.
    package nonisolated func replaceAccess(with rules: AccessRules) {
        service.access.replace(with: rules)
    }

    /// Records so much from now on of who took whose token.
    package nonisolated func replaceAudit(with settings: AuditSettings) {
        service.audit.use(settings)
    }

    /// Has it told how often tokens were taken that are dead now. To be called now and then; it does not block.
    package nonisolated func tellOfDeadTokens() {
        service.audit.tellOfDead(at: service.clock())
    }

    /// A server of `/metrics` alone at an address of its own, which answers what the socket's would.
    package nonisolated func metricsServer(at address: LoopbackAddress) -> MetricsServer {
        var service = service
        service.usesShortWay = false
        return MetricsServer(at: address, service: service)
    }

    /// Connections that are open now.
    package var connections: Int { running?.registry.count ?? 0 }

    /// Those of them that are on the general way.
    var connectionsOnGeneralWay: Int { running?.registry.onGeneralWay ?? 0 }

    /// Comes back once every loop has come round, which tells that callers are being answered. It sets no deadline:
    /// whoever feeds a watchdog has one.
    package func comeRound() async {
        guard let running else { return }
        await withCheckedContinuation { continuation in
            if !running.inbox.post(.call { continuation.resume() }) { continuation.resume() }
        }
        for eventLoop in running.group.makeIterator() {
            try? await eventLoop.submit {}.get()
        }
    }

    /// Takes no more connections and lets requests in flight end for so long. Who still waits then is answered with what
    /// there is, and has a second to read it before what is left is closed. A file that was made for the socket is
    /// removed.
    package func stop(within time: Duration) async {
        guard let running else { return }
        self.running = nil
        running.keeper.end()
        _ = running.inbox.post(.stop)
        try? await running.thread.shutdownGracefully()
        running.registry.stop()
        let eventLoop = running.group.next()
        let emptied = eventLoop.makePromise(of: Void.self)
        running.registry.emptied(on: eventLoop).cascade(to: emptied)
        let waits = eventLoop.scheduleTask(in: TimeAmount(time)) { running.registry.endWaits() }
        let deadline = eventLoop.scheduleTask(in: TimeAmount(time) + Self.farewell) { running.registry.closeAll() }
        try? await emptied.futureResult.get()
        waits.cancel()
        deadline.cancel()
        try? await running.group.shutdownGracefully()
        await service.audit.end()
        service.logger.info("socket closed")
    }
}

extension SocketPlace {
    /// Where it is, for people.
    fileprivate var words: String {
        switch self {
        case .inherited(let descriptor): "inherited descriptor \(descriptor)"
        case .path(let path, _, _): path
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import CLinux
import Glibc
import Logging
import NIOCore

/// The loop of the short way: accepts connections, and serves them for as long as they ask for nothing but tokens.
///
/// It stands beside NIO and not on it, because at this rate the cost of a channel is what decides
/// (docs/decisions/0004-short-way-beside-nio.md). It never blocks but in its poller.
final class ShortLoop: Sendable {
    /// Descriptors that one turn deals with at most.
    private static let batch = 512

    private let service: SocketService
    private let registry: ConnectionRegistry
    private let general: GeneralWay
    private let inbox: LoopInbox
    private let listener: Int32
    private let poller: Poller
    private let idleTimer: Int32

    /// A loop that listens at the descriptor, which it closes in the end, once ``run()`` is called.
    init(
        listener: Int32,
        at path: String,
        inbox: LoopInbox,
        service: SocketService,
        registry: ConnectionRegistry,
        general: GeneralWay
    ) throws(SocketServerError) {
        self.service = service
        self.registry = registry
        self.general = general
        self.inbox = inbox
        self.listener = listener
        poller = try Poller(for: path)
        idleTimer = timerfd_create(CLOCK_MONOTONIC, Int32(TFD_NONBLOCK) | Int32(TFD_CLOEXEC))
        guard idleTimer >= 0, poller.watch(idleTimer), poller.watch(inbox.descriptor), poller.watch(listener) else {
            let error = systemFailure("timerfd_create or epoll_ctl", path)
            if idleTimer >= 0 { close(idleTimer) }
            poller.end()
            throw error
        }
    }

    /// Serves until it is told to stop, on the thread that calls it. Called once.
    func run() {
        startIdleTimer()
        withUnsafeTemporaryAllocation(of: epoll_event.self, capacity: Self.batch) { events in
            withUnsafeTemporaryAllocation(byteCount: ShortConnections.room, alignment: 1) { room in
                serve(using: events, room)
            }
        }
        close(idleTimer)
        poller.end()
    }

    private func serve(
        using events: UnsafeMutableBufferPointer<epoll_event>,
        _ room: UnsafeMutableRawBufferPointer
    ) {
        var connections = ShortConnections(service, registry, general, poller)
        var door = Door(listener, poller, registry, service)
        var isStopping = false
        while !isStopping {
            let ready = poller.wait(using: events, atMost: door.isMoving ? 0 : door.patience)
            door.beginTurn()
            for descriptor in ready {
                switch descriptor {
                case door.listener: door.open { admit($0, descriptor: $1, &connections) }
                case inbox.descriptor: isStopping = work(off: inbox.takeAll(), &door, &connections) || isStopping
                case idleTimer: idleIsOver(&connections, using: room)
                default: connections.serve(descriptor, using: room)
                }
            }
            // Nobody may be waiting at the old place, so that nothing tells of it.
            if door.isMoving { door.open { admit($0, descriptor: $1, &connections) } }
            connections.endTurn()
        }
        _ = work(off: inbox.end(), &door, &connections)
        door.close()
        connections.endAll(using: room)
    }

    private func admit(_ connection: Connection, descriptor: Int32, _ connections: inout ShortConnections) {
        if service.usesShortWay {
            connections.take(connection, descriptor: descriptor)
        } else {
            general.take(Handover(connection: connection, descriptor: descriptor))
        }
    }

    /// Does what others asked for; true if that was to stop.
    private func work(
        off messages: [LoopInbox.Message],
        _ door: inout Door,
        _ connections: inout ShortConnections
    ) -> Bool {
        var isStopping = false
        for message in messages {
            switch message {
            case .takeBack(let connection, let descriptor): connections.take(connection, descriptor: descriptor)
            case .listen(let listener): door.move(to: listener)
            case .call(let body): body()
            case .stop: isStopping = true
            }
        }
        return isStopping
    }

    /// Has the kernel count, so that no clock needs reading.
    private func startIdleTimer() {
        let idle = max(service.limits.idle.nanoseconds, 1)
        let time = timespec(tv_sec: Int(idle / 1_000_000_000), tv_nsec: Int(idle % 1_000_000_000))
        var setting = itimerspec(it_interval: time, it_value: time)
        timerfd_settime(idleTimer, 0, &setting, nil)
    }

    private func idleIsOver(_ connections: inout ShortConnections, using room: UnsafeMutableRawBufferPointer) {
        var expirations: UInt64 = 0
        guard Glibc.read(idleTimer, &expirations, MemoryLayout<UInt64>.size) > 0 else { return }
        connections.endIdle(using: room)
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import CLinux
import CoreMetrics
import Glibc
import Logging
import NIOCore
import TokenCore

/// Where connections come in: accepts them, asks who is there and whether there is room, and sends away for whom there
/// is none.
///
/// With no descriptor left a connection cannot even be refused, and the listening socket would stay readable for ever.
/// So one descriptor is kept in reserve, to accept and refuse with. If even that is gone, or the kernel cannot accept for
/// another reason, the door is shut for a while (``AcceptPause``).
///
/// A door that moves to another listening descriptor lets in first who waits at the one before, in as many turns as that
/// takes.
struct Door {
    /// Connections accepted in one turn, so that a rush of them does not hold up those that are in.
    private static let atOnce = 2

    /// The listening descriptor.
    private(set) var listener: Int32
    /// The listening descriptor that comes after it.
    private var next: Int32?
    private let poller: Poller
    private let registry: ConnectionRegistry
    private let service: SocketService
    private var reserve: Int32
    private var pause = AcceptPause()
    private var farewells = Farewells()
    private var tooMany = Complaint()
    private var noDescriptor = Complaint()

    /// The door at a listening descriptor that is being watched, and that it closes in the end.
    init(_ listener: Int32, _ poller: Poller, _ registry: ConnectionRegistry, _ service: SocketService) {
        self.listener = listener
        self.poller = poller
        self.registry = registry
        self.service = service
        reserve = Self.spare()
    }

    /// Lets in who waits outside.
    mutating func open(_ admit: (Connection, Int32) -> Void) {
        for _ in 0..<Self.atOnce {
            let descriptor = accept4(listener, nil, nil, UnixAddress.descriptorFlags)
            if descriptor >= 0 {
                welcome(descriptor, admit)
            } else if errno == EMFILE || errno == ENFILE {
                farewells.endAll()
                guard refuseWithReserve() else { return }
            } else if errno == EAGAIN {
                return finishMove()
            } else if errno != EINTR && errno != ECONNABORTED {
                return shut()
            }
        }
    }

    /// Milliseconds that the loop may wait before it comes round to the door; nil while nothing is to be done there but for
    /// those who wait outside, and who wake it.
    var patience: Int32? {
        guard pause.isOn || !farewells.isEmpty else { return nil }
        let now = service.clock()
        return [pause.remaining(at: now), farewells.remaining(at: now)].compactMap(\.self).min()
    }

    private mutating func shut() {
        poller.forget(listener)
        pause.begin(at: service.clock())
        service.metrics.pauses.increment()
    }

    private mutating func welcome(_ descriptor: Int32, _ admit: (Connection, Int32) -> Void) {
        pause.relax()
        guard let caller = Caller(atOtherEndOf: descriptor) else {
            Glibc.close(descriptor)
            return
        }
        switch registry.admit(caller) {
        case .admitted(let connection): admit(connection, descriptor)
        case .refused:
            service.metrics.refusedForNumber.increment()
            if tooMany.isDue(at: service.clock()) { warn("connections refused: too many are open", caller) }
            sayNoRoom(on: descriptor)
            farewells.keep(descriptor, at: service.clock())
        }
    }

    /// Says why in the one answer that a new connection's buffer has room for, without reading what was asked.
    private func sayNoRoom(on descriptor: Int32) {
        var buffer = ByteBuffer()
        Reply.noRoom.write(to: &buffer, as: Reply.Form(closing: true))
        _ = buffer.withUnsafeReadableBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
    }

    /// Makes room for one descriptor, to refuse its caller; false if that cannot be.
    private mutating func refuseWithReserve() -> Bool {
        guard reserve >= 0 else {
            if noDescriptor.isDue(at: service.clock()) {
                warn("nobody is let in: no descriptor is left; \(Self.remedy)")
            }
            shut()
            return false
        }
        Glibc.close(reserve)
        let descriptor = accept4(listener, nil, nil, UnixAddress.descriptorFlags)
        if descriptor >= 0 {
            service.metrics.refusedForDescriptors.increment()
            if noDescriptor.isDue(at: service.clock()) {
                warn("connections refused: no descriptor is left; \(Self.remedy)", Caller(atOtherEndOf: descriptor))
            }
            sayNoRoom(on: descriptor)
            Glibc.close(descriptor)
        }
        reserve = Self.spare()
        return descriptor >= 0
    }

    /// Begins a turn of the loop: ends what has had its time, tries again to keep a descriptor in reserve, and listens again
    /// once there is one.
    mutating func beginTurn() {
        if !farewells.isEmpty { farewells.end(at: service.clock()) }
        if reserve < 0, !pause.isOn { reserve = Self.spare() }
        guard pause.isOn, pause.endIfOver(at: service.clock()) else { return }
        if reserve < 0 { reserve = Self.spare() }
        if reserve < 0 || !poller.watch(listener) { shut() }
    }

    /// Whether somebody may still wait at the old place, and the door is not shut: it is to be opened in every turn then.
    var isMoving: Bool { next != nil && !pause.isOn }

    /// Moves to another listening descriptor once nobody waits at this one any more; it is closed then. Nobody new gets
    /// to this one from now on, so that the move comes to an end.
    ///
    /// A move that has not come to its end when the next one begins ends at once, lest descriptors pile up: it is as old
    /// as one look after the socket's file, and whoever still waits there could not be let in for all that time.
    mutating func move(to listener: Int32) {
        finishMove()
        // What connected before can still be accepted (unix(7) sockets; connect(2) gets ECONNREFUSED).
        shutdown(self.listener, Int32(SHUT_RD))
        next = listener
    }

    private mutating func finishMove() {
        guard let next else { return }
        poller.forget(listener)
        Glibc.close(listener)
        listener = next
        self.next = nil
        if !pause.isOn, !poller.watch(next) { shut() }
    }

    /// Lets nobody in any more.
    mutating func close() {
        poller.forget(listener)
        Glibc.close(listener)
        if let next { Glibc.close(next) }
        farewells.endAll()
        if reserve >= 0 { Glibc.close(reserve) }
    }

    private static func spare() -> Int32 {
        Glibc.open("/dev/null", O_RDONLY | O_CLOEXEC)
    }

    private static let remedy = "raise LimitNOFILE=, or fs.file-max"

    private func warn(_ message: Logger.Message, _ caller: Caller? = nil) {
        var metadata: Logger.Metadata = ["socket.connections": .stringConvertible(registry.count)]
        if let caller { metadata["caller.uid"] = .stringConvertible(caller.user) }
        service.logger.warning(message, metadata: metadata)
    }
}

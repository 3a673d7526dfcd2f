// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import CLinux
import Glibc
import Logging
import NIOCore
import TokenCore

/// The connections that have asked for nothing but tokens; used on the loop's thread alone.
///
/// Between two reads nothing is outstanding on any of them: each request was answered, and each answer was taken by the
/// kernel. So a connection is no more here than its descriptor and its caller. As soon as it needs anything else (the
/// rest of a request, time, room, another answer) it goes to the general way with all that belongs to it.
struct ShortConnections {
    private struct Entry {
        let connection: Connection
        /// Whether anything was read since the idle time began.
        var wasActive = true
    }

    /// Bytes read from a connection in one turn of the loop, so that whoever sends many requests at once is answered some of
    /// them at a time, and everybody else in between.
    private static let portion = ShortRequest.maximumLength
    /// Bytes of room that are needed to read: for a portion, and for the end of a request that begins in it.
    static let room = portion + ShortRequest.maximumLength
    /// A buffer no larger than this is kept for the next answers; one that a burst made larger is not.
    private static let kept = 2 * ShortWay.burst

    private let service: SocketService
    private let registry: ConnectionRegistry
    private let general: GeneralWay
    private let poller: Poller
    private var way: ShortWay
    private var entries: [Entry?] = []
    private var answers = ByteBuffer()
    private var now: Moment?
    private var complaint = Complaint()

    /// No connections yet.
    init(_ service: SocketService, _ registry: ConnectionRegistry, _ general: GeneralWay, _ poller: Poller) {
        self.service = service
        self.registry = registry
        self.general = general
        self.poller = poller
        self.way = ShortWay(service)
    }

    /// Takes a connection that has nothing outstanding.
    mutating func take(_ connection: Connection, descriptor: Int32) {
        guard poller.watch(descriptor) else { return turnAway(connection, descriptor) }
        let missing = Int(descriptor) + 1 - entries.count
        if missing > 0 { entries.append(contentsOf: repeatElement(nil, count: missing)) }
        entries[Int(descriptor)] = Entry(connection: connection)
    }

    /// Reads what came on a connection and answers it as far as the short way goes.
    mutating func serve(_ descriptor: Int32, using room: UnsafeMutableRawBufferPointer) {
        let index = Int(descriptor)
        guard index < entries.count, let connection = entries[index]?.connection else { return }
        let count = recv(descriptor, room.baseAddress, Self.portion, 0)
        guard count > 0 else {
            // The other end is gone, or the connection is broken; only a wake-up without a cause is neither.
            if count == 0 || (errno != EAGAIN && errno != EINTR) { end(descriptor) }
            return
        }
        entries[index]?.wasActive = true
        way.renewAccess()
        var rest = 0..<count
        guard answer(&rest, of: room, on: descriptor, for: connection.caller) else { return end(descriptor) }
        if count == Self.portion, !rest.isEmpty, answers.readableBytes == 0 {
            rest = rest.lowerBound..<count + readEnd(of: rest, in: room, from: descriptor)
            guard answer(&rest, of: room, on: descriptor, for: connection.caller) else { return end(descriptor) }
        }
        if !rest.isEmpty || answers.readableBytes > 0 {
            handOver(descriptor, rest: UnsafeRawBufferPointer(rebasing: room[rest]))
        }
    }

    /// Reads the end of a request that begins in the rest of a portion, and nothing behind it; gives how many bytes that
    /// are. There are none if the request is not whole yet, or none that the short way answers.
    private func readEnd(of rest: Range<Int>, in room: UnsafeMutableRawBufferPointer, from descriptor: Int32) -> Int {
        let free = UnsafeMutableRawBufferPointer(rebasing: room[rest.upperBound...])
        let waiting = recv(descriptor, free.baseAddress, free.count, Int32(MSG_PEEK))
        guard waiting > 0 else { return 0 }
        let known = UnsafeRawBufferPointer(rebasing: room[rest.lowerBound..<rest.upperBound + waiting])
        guard case .request(let length, _?) = ShortRequest.recognise(known), length > rest.count else { return 0 }
        return max(recv(descriptor, free.baseAddress, length - rest.count, 0), 0)
    }

    /// Answers and sends, burst by burst, until something is not for the short way or the kernel has no more room. Takes what
    /// was answered off the range; false if the connection is broken.
    private mutating func answer(
        _ range: inout Range<Int>,
        of room: UnsafeMutableRawBufferPointer,
        on descriptor: Int32,
        for caller: Caller
    ) -> Bool {
        while !range.isEmpty {
            // Emptied before and not after, so that whatever became of the last connection, nothing of its answers is left.
            if answers.storageCapacity > Self.kept { answers = ByteBuffer() } else { answers.clear() }
            let bytes = UnsafeRawBufferPointer(rebasing: room[range])
            let count = way.answer(bytes, from: caller, at: time(), into: &answers)
            range = range.lowerBound + count..<range.upperBound
            guard send(to: descriptor) else { return false }
            if count == 0 || answers.readableBytes > 0 { break }
        }
        return true
    }

    /// Sends the answers, as far as there is room for them; false if the connection is broken.
    private mutating func send(to descriptor: Int32) -> Bool {
        guard answers.readableBytes > 0 else { return true }
        let sent = answers.withUnsafeReadableBytes {
            Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
        answers.moveReaderIndex(forwardBy: max(sent, 0))
        return sent >= 0 || errno == EAGAIN || errno == EINTR
    }

    private mutating func handOver(_ descriptor: Int32, rest: UnsafeRawBufferPointer) {
        guard let connection = remove(descriptor) else { return }
        var handover = Handover(connection: connection, descriptor: descriptor)
        handover.received = ByteBuffer(bytes: rest)
        // A copy: the next answers go into the same memory.
        handover.unsent = ByteBuffer(bytes: answers.readableBytesView)
        general.take(handover)
    }

    /// Ends a turn of the loop: the clocks are read once for all that is answered in one.
    mutating func endTurn() {
        now = nil
    }

    private mutating func time() -> Moment {
        if let now { return now }
        let read = service.clock()
        now = read
        return read
    }

    /// Closes the connections on which nothing came since it was called last.
    mutating func endIdle(using room: UnsafeMutableRawBufferPointer) {
        for index in entries.indices {
            guard let entry = entries[index] else { continue }
            if entry.wasActive {
                entries[index]?.wasActive = false
                continue
            }
            // What came in this very turn may not have been looked at yet.
            serve(Int32(index), using: room)
            if entries[index]?.wasActive == false { end(Int32(index)) }
        }
    }

    /// Answers all that has arrived, and closes all connections.
    mutating func endAll(using room: UnsafeMutableRawBufferPointer) {
        for index in entries.indices where entries[index] != nil {
            let descriptor = Int32(index)
            // From here on the caller cannot send, and is told so: no request of his is taken in and then lost. After
            // what had arrived comes the end of input, which ends the connection.
            guard shutdown(descriptor, Int32(SHUT_RD)) == 0 else {
                end(descriptor)
                continue
            }
            while entries[index] != nil { serve(descriptor, using: room) }
        }
    }

    /// Closes a connection that the kernel has no room to watch. The general way would find none either, and NIO ends the
    /// process then.
    private mutating func turnAway(_ connection: Connection, _ descriptor: Int32) {
        let reason = systemErrorText()
        close(descriptor)
        registry.leave(connection)
        guard complaint.isDue(at: service.clock()) else { return }
        service.logger.warning(
            "connections closed: the kernel watches no more descriptors; raise fs.epoll.max_user_watches",
            metadata: ["caller.uid": .stringConvertible(connection.caller.user), "error.message": "\(reason)"]
        )
    }

    private mutating func end(_ descriptor: Int32) {
        guard let connection = remove(descriptor) else { return }
        close(descriptor)
        registry.leave(connection)
    }

    private mutating func remove(_ descriptor: Int32) -> Connection? {
        defer { entries[Int(descriptor)] = nil }
        poller.forget(descriptor)
        return entries[Int(descriptor)]?.connection
    }
}

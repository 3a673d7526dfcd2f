// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import NIOCore
import NIOHTTP1
import SocketAPI
import TokenCore

/// `GET /v1/events`: an answer that goes on as long as caller, right and daemon are there.
///
/// Nothing is kept for a caller but his place among the events: he is given more when he has taken what he was given, and told
/// so if he missed some.
final class EventStream {
    /// What it does to its connection.
    struct Outlet {
        /// Whether the caller takes what he is given.
        let isWritable: () -> Bool
        /// Sends.
        let write: (ByteBuffer) -> Void
        /// Sends, and ends the connection.
        let end: (ByteBuffer) -> Void
    }

    /// Events that are looked at in one turn of the loop.
    private static let mostPerTurn = 256

    private let caller: Caller
    private let service: SocketService
    private let eventLoop: any EventLoop
    private let outlet: Outlet
    private let isChunked: Bool
    private let isNew: Bool
    private var position: EventPosition
    private var access: AccessInForce.Copy
    private var visible: Set<UserID>?
    private var waiter: EventWaiter?
    private var rest: Scheduled<Void>?
    private var heartbeat: RepeatedTask?
    private var isOver = false

    /// A stream that has not begun; the caller's right to it was seen to.
    ///
    /// - Parameters:
    ///   - head: the request. A caller of HTTP/1.0 knows no chunks: there the end of the connection is the stream's.
    ///   - caller: who asks.
    ///   - service: what every connection works with.
    ///   - eventLoop: the connection's.
    ///   - outlet: where the answer goes.
    init(
        _ head: HTTPRequestHead,
        caller: Caller,
        service: SocketService,
        eventLoop: any EventLoop,
        outlet: Outlet
    ) {
        let lastSeen = head.headers.first(name: HeaderName.lastEventID).map { RequestFields.trimmed($0[...]) }
        self.caller = caller
        self.service = service
        self.eventLoop = eventLoop
        self.outlet = outlet
        self.isChunked = head.version == .http1_1
        self.isNew = lastSeen == nil
        self.position = lastSeen.map { EventText.position(String($0)) } ?? service.serving.eventsEnd
        self.access = service.access.copy
        self.visible = access.rules.accounts(of: caller, .status)
    }

    /// Begins to answer.
    func begin() {
        // First, since any write may find the caller gone, and cancel what there is.
        let stream = NIOLoopBound(self, eventLoop: eventLoop)
        let silence = service.limits.heartbeat
        heartbeat = eventLoop.scheduleRepeatedTask(initialDelay: silence, delay: silence) { _ in stream.value.beat() }
        var head = ByteBuffer(string: "HTTP/1.1 200 OK\r\n")
        head.write([Reply.Field("Content-Type", MediaType.events), .noStore])
        head.writeString(isChunked ? "Transfer-Encoding: chunked\r\n\r\n" : "Connection: close\r\n\r\n")
        outlet.write(head)
        send(EventText.opening(at: isNew ? position : nil))
        goOn()
    }

    /// Ends the answer, and the connection with it.
    func end() {
        guard !isOver else { return }
        cancel()
        outlet.end(ByteBuffer(string: isChunked ? "0\r\n\r\n" : ""))
    }

    /// The caller is gone.
    func cancel() {
        isOver = true
        heartbeat?.cancel()
        stopWaiting()
    }

    /// Tells what there is if the caller takes it, then rests: what is told to many must not come round with each event. The rest
    /// begins before the caller is written to, which may end the stream.
    func goOn() {
        stopWaiting()
        guard !isOver, outlet.isWritable() else { return }
        guard isAllowed() else { return end() }
        let page = service.serving.events(from: position, atMost: Self.mostPerTurn)
        position = page.end
        let stream = NIOLoopBound(self, eventLoop: eventLoop)
        let hasMore = page.events.count == Self.mostPerTurn
        rest = eventLoop.scheduleTask(in: hasMore ? .zero : service.limits.eventPause) { stream.value.wait() }
        send(EventText.text(of: page) { visible?.contains($0) ?? true })
    }

    /// Looks again when there is more; in the next turn if there is already.
    private func wait() {
        let stream = NIOLoopBound(self, eventLoop: eventLoop)
        waiter = service.serving.onEvent(after: position) { [eventLoop] in
            eventLoop.execute { stream.value.goOn() }
        }
    }

    private func stopWaiting() {
        rest?.cancel()
        rest = nil
        if let waiter { service.serving.cancel(waiter) }
        waiter = nil
    }

    private func beat() {
        guard !isOver, outlet.isWritable() else { return }
        guard isAllowed() else { return end() }
        send(EventText.heartbeat(at: position))
    }

    /// Rules may change while the stream goes on.
    private func isAllowed() -> Bool {
        if !service.access.isCurrent(access) {
            access = service.access.copy
            visible = access.rules.accounts(of: caller, .status)
        }
        return visible != []
    }

    private func send(_ text: String) {
        guard !text.isEmpty else { return }
        var buffer = ByteBuffer()
        if isChunked { buffer.writeString(String(text.utf8.count, radix: 16) + "\r\n") }
        buffer.writeString(text)
        if isChunked { buffer.writeString("\r\n") }
        outlet.write(buffer)
    }
}

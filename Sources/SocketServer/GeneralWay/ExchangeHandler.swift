// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import NIOCore
import NIOHTTP1
import SocketAPI
import TokenCore

/// What the general way tells the gate in front of it.
enum ExchangeEvent: Sendable {
    /// Every request that was whole has its answer; there is room for more bytes.
    case answered
    /// The last answer is on its way, and the connection ends when it is written.
    case closing
}

/// The end of the general way: takes requests as the HTTP decoder cuts them, and answers them one at a time, in order.
final class ExchangeHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = ByteBuffer

    /// A request, or what came in its place, that waits for its turn.
    enum Item {
        case request(HTTPRequestHead, body: [UInt8])
        case fault(Problem)
    }

    /// A call of the engine that is not answered yet.
    private enum Call {
        case token(TokenHandler)
        case refresh(RefreshHandler)
        case question(QuestionHandler)
        case events(EventStream)

        func cancel() {
            switch self {
            case .token(let handler): handler.cancel()
            case .refresh(let handler): handler.cancel()
            case .question(let handler): handler.cancel()
            case .events(let stream): stream.cancel()
            }
        }
    }

    let asker: Asker
    let service: SocketService
    var receiving: (head: HTTPRequestHead, bodyBytes: Int)?
    /// The body of the request that comes in, where it is looked at.
    var body: [UInt8]?
    var waiting: CircularBuffer<Item> = CircularBuffer()
    var answering: (head: HTTPRequestHead, target: Target)?
    private var call: Call?
    private var isClosed = false

    /// Whether a whole request has no answer yet.
    var isAnswering: Bool { answering != nil }
    /// Requests that came in whole, and faults that ended the connection.
    var received = 0
    /// Whether the last answer was a token and nothing else, as the short way gives it.
    private(set) var gavePlainToken = false
    /// Whether the daemon stops: then the next answer is the connection's last.
    private var isStopping: Bool

    /// The general way of one connection.
    init(asker: Asker, service: SocketService, isStopping: Bool) {
        self.asker = asker
        self.service = service
        self.isStopping = isStopping
    }

    /// The daemon stops: what is being answered is the last, and what has no end ends now.
    func stop() {
        isStopping = true
        if case .events(let stream) = call { stream.end() }
    }

    /// Whoever waits is answered with what there is.
    func endWait() {
        switch call {
        case .token(let handler): handler.stopWaiting()
        case .refresh(let handler): handler.stopWaiting()
        case .question, .events, nil: break
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isClosed else { return }
        switch unwrapInboundIn(data) {
        case .head(let head): begin(head, context)
        case .body(let bytes): take(bytes, context)
        case .end:
            guard let head = receiving?.head else { return }
            let body = body ?? []
            (receiving, self.body) = (nil, nil)
            enqueue(.request(head, body: body), context)
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable, case .events(let stream) = call { stream.goOn() }
        context.fireChannelWritabilityChanged()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let error = error as? HTTPParserError else {
            // The connection broke; there is nobody to tell.
            return context.close(promise: nil)
        }
        (receiving, body) = (nil, nil)
        enqueue(.fault(Self.problem(for: error)), context)
    }

    func channelInactive(context: ChannelHandlerContext) {
        isClosed = true
        call?.cancel()
        call = nil
        waiting.removeAll()
        context.fireChannelInactive()
    }
}

extension ExchangeHandler {
    func answerNext(_ context: ChannelHandlerContext) {
        while answering == nil, !isClosed, let item = waiting.popFirst() {
            switch item {
            case .fault(let problem):
                service.metrics.answered(nil, status: problem.status)
                send(.problem(problem), Reply.Form(closing: true), context)
            case .request(let head, let body):
                let target = Target(head.uri, from: asker)
                answering = (head, target)
                answer(target, head, body, context)
            }
        }
    }

    private func answer(
        _ target: Target,
        _ head: HTTPRequestHead,
        _ body: [UInt8],
        _ context: ChannelHandlerContext
    ) {
        let access = service.access.copy
        let dispatch = dispatch(target, head, body, access.rules)
        let finish: (Reply) -> Void = { [self] reply in
            // What was changed is told to whoever had the right when it began.
            self.finish(dispatch.isChange ? reply : refusal(of: target, since: access) ?? reply, context)
        }
        switch dispatch {
        case .reply(let reply):
            if target.resource == .consoleLinks { changeRecord(head.method, target)(reply) }
            finish(reply)
        case .token(let request):
            let handler = TokenHandler(request, service: service, eventLoop: context.eventLoop, finish: finish)
            call = .token(handler)
            handler.look()
        case .refresh(let request):
            let handler = RefreshHandler(request, service: service, eventLoop: context.eventLoop, finish: finish)
            call = .refresh(handler)
            handler.begin()
        case .question(let question): ask(question, within: service.limits.report, context, finish)
        case .diagnosis(let question): ask(question, within: service.limits.diagnosis, context, finish)
        case .change(let question):
            // It comes to its own end, and is recorded then, whoever waits for that or not.
            let record = changeRecord(head.method, target)
            let recorded: QuestionHandler.Question = { serving in
                let reply = await question(serving)
                record(reply)
                return reply
            }
            ask(recorded, within: service.limits.enrollment, isChange: true, context, finish)
        case .events(let caller): stream(to: caller, target, head, context)
        }
    }

    private func ask(
        _ question: @escaping QuestionHandler.Question,
        within limit: TimeAmount,
        isChange: Bool = false,
        _ context: ChannelHandlerContext,
        _ finish: @escaping (Reply) -> Void
    ) {
        let handler = QuestionHandler(
            question,
            isChange: isChange,
            service: service,
            eventLoop: context.eventLoop,
            finish: finish
        )
        call = .question(handler)
        handler.begin(within: limit)
    }

    private func stream(
        to caller: Caller,
        _ target: Target,
        _ head: HTTPRequestHead,
        _ context: ChannelHandlerContext
    ) {
        service.metrics.answered(target.resource, status: 200)
        gavePlainToken = false
        let channel = context.channel
        let outlet = EventStream.Outlet(
            isWritable: { channel.isWritable },
            write: { [self] in write($0, context, thenClose: false) },
            end: { [self] bytes in
                (answering, call) = (nil, nil)
                write(bytes, context, thenClose: true)
            }
        )
        let stream = EventStream(head, caller: caller, service: service, eventLoop: context.eventLoop, outlet: outlet)
        call = .events(stream)
        stream.begin()
        if isStopping { stream.end() }
    }

    private func dispatch(
        _ target: Target,
        _ head: HTTPRequestHead,
        _ body: [UInt8],
        _ rules: AccessRules
    ) -> Dispatch {
        switch asker {
        case .caller(let caller): Dispatch(target, head, body, caller: caller, access: rules, service: service)
        case .anybody(let names): Dispatch(target, head, calling: names, service: service)
        }
    }

    /// Rules may have changed while the call waited.
    private func refusal(of target: Target, since access: AccessInForce.Copy) -> Reply? {
        guard case .caller(let caller) = asker, !service.access.isCurrent(access) else { return nil }
        return Dispatch.refusal(target.resource, caller, service.access.copy.rules)
    }

    private func finish(_ reply: Reply, _ context: ChannelHandlerContext) {
        guard let (head, target) = answering, !isClosed else { return }
        answering = nil
        call = nil
        gavePlainToken = reply.isPlainToken
        service.metrics.answered(target.resource, status: reply.status)
        if head.method != .HEAD { record(reply, to: target) }
        // After a request that asks to leave HTTP (RFC 9110 sections 7.8 and 9.3.6) the decoder takes no other.
        let leavesHTTP = head.method == .CONNECT || head.headers.contains(name: "upgrade")
        let staysOpen = head.version == .http1_1 && head.isKeepAlive && !leavesHTTP && !isStopping
        send(reply, Reply.Form(withoutBody: head.method == .HEAD, closing: !staysOpen), context)
        answerNext(context)
        if answering == nil, !isClosed { context.triggerUserOutboundEvent(ExchangeEvent.answered, promise: nil) }
    }

    private func send(_ reply: Reply, _ form: Reply.Form, _ context: ChannelHandlerContext) {
        var buffer = context.channel.allocator.buffer(capacity: 2048)
        reply.write(to: &buffer, as: form)
        write(buffer, context, thenClose: form.closing)
    }

    func write(_ buffer: ByteBuffer, _ context: ChannelHandlerContext, thenClose: Bool) {
        guard thenClose else {
            return context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
        }
        isClosed = true
        waiting.removeAll()
        context.triggerUserOutboundEvent(ExchangeEvent.closing, promise: nil)
        let channel = context.channel
        // Only once it is written: closing drops what is not. The gate's write deadline bounds the wait.
        context.writeAndFlush(wrapOutboundOut(buffer)).whenComplete { _ in channel.close(promise: nil) }
    }
}

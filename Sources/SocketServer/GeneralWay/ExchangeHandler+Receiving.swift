// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import NIOCore
import NIOHTTP1
import SocketAPI

// How a request comes in, and what of it is refused before it is whole.

extension ExchangeHandler {
    func begin(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        if let fault = fault(of: head) { return enqueue(.fault(fault), context) }
        receiving = (head, 0)
        body = Target(head.uri, from: asker).resource.takesBody ? [] : nil
        // Whoever waits for leave to send a body gets it (RFC 9110 section 10.1.1): what arrives is bounded anyway. He may go
        // without, and does in the middle of another answer.
        if head.headers.contains(name: "expect"), answering == nil, waiting.isEmpty {
            write(ByteBuffer(string: "HTTP/1.1 100 Continue\r\n\r\n"), context, thenClose: false)
        }
    }

    /// What is wrong with the body that a request announces. The decoder has seen to it that there are no two lengths, and
    /// no length beside a coding; of codings it takes more than is certain to be read alike by whoever else reads the request.
    private func fault(of head: HTTPRequestHead) -> Problem? {
        let codings = head.headers["transfer-encoding"]
        let areClear = codings.isEmpty || (codings.map { $0.lowercased() } == ["chunked"] && head.version == .http1_1)
        guard areClear else {
            let detail = "A request may have Transfer-Encoding once, as chunked and nothing else, in HTTP/1.1."
            return Problem(.badRequest, detail: detail)
        }
        // A number that does not fit is too large, since the decoder lets nothing but digits through.
        guard let length = head.headers.first(name: "content-length") else { return nil }
        return Int(length).map { $0 <= service.limits.bodyBytes } == true ? nil : bodyTooLarge
    }

    func take(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        guard let (head, soFar) = receiving else { return }
        let length = soFar + bytes.readableBytes
        receiving = (head, length)
        guard length <= service.limits.bodyBytes else {
            (receiving, body) = (nil, nil)
            return enqueue(.fault(bodyTooLarge), context)
        }
        body?.append(contentsOf: bytes.readableBytesView)
    }

    private var bodyTooLarge: Problem {
        Problem(.requestTooLarge, detail: "A body may be \(service.limits.bodyBytes) bytes long.")
    }

    static func problem(for error: HTTPParserError) -> Problem {
        switch error {
        case .headerOverflow:
            Problem(.requestTooLarge, status: 431, detail: "The header section, or a field of it, is too long.")
        case .invalidEOFState:
            Problem(.badRequest, detail: "The request ends before it is whole.")
        default:
            // The parser's own word is from a fixed list, and says where to look.
            Problem(.badRequest, detail: "The request is no HTTP/1.1 (\(error)).")
        }
    }

    func enqueue(_ item: Item, _ context: ChannelHandlerContext) {
        received += 1
        waiting.append(item)
        answerNext(context)
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import NIOCore
import NIOHTTP1
import SocketAPI
import TokenCore

/// An answer on its way out.
enum Reply {
    /// A token of that user, with header fields that this caller gets besides.
    case token(PublishedToken, of: UserID, secondsLeft: Int64, fields: [Field])
    /// A token and nothing around it.
    case bareToken(PublishedToken, fields: [Field])
    /// Anything else. A status without content (RFC 9110 sections 15.3.5 and 15.4.5) has no body, and no length.
    case composed(status: Int, fields: [Field], body: [UInt8])

    /// A header field. Values are made here, never copied from a request.
    struct Field: Hashable {
        /// Its name.
        let name: String
        /// Its value.
        let value: String

        /// A field of that name.
        init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// An answer that says what is wrong.
    static func problem(_ problem: Problem, fields: [Field] = []) -> Reply {
        let type = Field("Content-Type", MediaType.problem)
        return .composed(status: problem.status, fields: [type, .noStore] + fields, body: problem.json)
    }

    /// An answer in JSON.
    static func json(_ body: [UInt8]) -> Reply {
        .composed(status: 200, fields: [Field("Content-Type", MediaType.json), .noStore], body: body)
    }

    /// It is done, and there is nothing to say of it (RFC 9110 section 15.3.5).
    static let done = Reply.composed(status: 204, fields: [.noStore], body: [])

    /// A line of text for people and probes.
    static func text(_ text: String) -> Reply {
        .composed(status: 200, fields: [Field("Content-Type", MediaType.text), .noStore], body: Array(text.utf8))
    }

    /// What a connection gets for which there is no room, on the socket or over TCP.
    static var noRoom: Reply {
        let problem = Problem(.overloaded, detail: "Too many connections are open; close some, or ask again.")
        return .problem(problem, fields: [.retryAfter(.seconds(1))])
    }
}

extension Reply {
    /// Its HTTP status.
    var status: Int {
        switch self {
        case .token, .bareToken: 200
        case .composed(let status, _, _): status
        }
    }

    /// The token that it hands out; nil if there is none in it.
    var handsOut: PublishedToken? {
        switch self {
        case .token(let token, _, _, _), .bareToken(let token, _): token
        case .composed: nil
        }
    }

    /// Whether it is a token with nothing added.
    var isPlainToken: Bool {
        if case .token(_, _, _, let fields) = self { fields.isEmpty } else { false }
    }
}

extension Reply.Field {
    /// Nothing of ours may lie in a cache: it is a secret or about to change.
    static let noStore = Self("Cache-Control", "no-store")

    /// When to come back, in whole seconds; at least one, so that nobody comes back at once.
    static func retryAfter(_ delay: Duration) -> Self {
        Self("Retry-After", String(max(delay.wholeSecondsUp, 1)))
    }
}

extension Reply {
    /// How a reply is written for one request.
    struct Form {
        /// Whether the request was a `HEAD`.
        var withoutBody = false
        /// Whether the connection ends with it.
        var closing = false
    }

    /// Writes the answer as the caller gets it.
    func write(to buffer: inout ByteBuffer, as form: Form) {
        let closing = form.closing ? [Field("Connection", "close")] : []
        switch self {
        case .token(let token, let user, let secondsLeft, let fields):
            buffer.writeToken(
                token,
                of: user,
                secondsLeft: secondsLeft,
                fields: fields + closing,
                withoutBody: form.withoutBody
            )
        case .bareToken(let token, let fields):
            let body = JSONText.unescape(token.text[...])
            Self.write(status: status, fields: fields + closing, body: body, form, to: &buffer)
        case .composed(let status, let fields, let body):
            Self.write(status: status, fields: fields + closing, body: body, form, to: &buffer)
        }
    }

    private static func write(status: Int, fields: [Field], body: [UInt8], _ form: Form, to buffer: inout ByteBuffer) {
        buffer.writeString("HTTP/1.1 \(status) \(HTTPResponseStatus(statusCode: status).reasonPhrase)\r\n")
        buffer.write(fields)
        let hasContent = status != 304 && status != 204
        if hasContent { buffer.writeString("Content-Length: \(body.count)\r\n") }
        buffer.writeString("\r\n")
        if !form.withoutBody, hasContent { buffer.writeBytes(body) }
    }
}

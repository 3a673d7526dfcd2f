// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Testing

/// A request of a questionable shape, followed by a plain one for a token: the one that somebody would hide in it, or
/// have taken for a part of it (RFC 9112 section 11.2).
struct RequestShape: Sendable, CustomTestStringConvertible {
    /// What is questionable about it.
    let name: String
    /// The request, and the one after it.
    let bytes: [UInt8]
    /// The statuses of all answers; the connection ends with the last.
    let statuses: [Int]

    var testDescription: String { name }

    static let hidden = "GET /v1/users/42/token HTTP/1.1\r\nHost: localhost\r\n\r\n"

    /// Bytes before the hidden request.
    init(_ name: String, _ statuses: [Int], before text: String) {
        self.name = name
        self.bytes = Array((text + Self.hidden).utf8)
        self.statuses = statuses
    }

    /// A request that would be answered with 405, were its shape good.
    static func post(
        _ name: String,
        _ fields: String,
        version: String = "1.1",
        body: String = "",
        answered statuses: [Int] = [400]
    ) -> RequestShape {
        RequestShape(
            name,
            statuses,
            before: "POST /healthz HTTP/\(version)\r\nHost: x\r\n\(fields)\r\n\(body)"
        )
    }

    /// Such a request with a body in chunks.
    static func chunks(_ name: String, _ body: String, answered statuses: [Int] = [400]) -> RequestShape {
        post("chunks: " + name, "Transfer-Encoding: chunked\r\n", body: body, answered: statuses)
    }

    /// A request that would be answered with a token, were its header section good.
    static func header(_ name: String, _ lines: String, answered statuses: [Int] = [400]) -> RequestShape {
        RequestShape("header: " + name, statuses, before: "GET /v1/users/42/token HTTP/1.1\r\n\(lines)")
    }

    /// A request with this line.
    static func line(_ name: String, _ line: String, answered statuses: [Int] = [400]) -> RequestShape {
        RequestShape("line: " + name, statuses, before: "\(line)\r\nHost: x\r\n\r\n")
    }
}

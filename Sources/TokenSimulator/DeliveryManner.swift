// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import NIOHTTP1

/// How a reply goes out.
enum DeliveryManner: Hashable, Sendable {
    /// As it should.
    case whole
    /// So many of its bytes, and then the end of the connection.
    case cut(bytes: Int)
    /// The head and this share of the body, and then the end of the connection.
    case cutBody(share: Double)
    /// So many bytes at a time, a pause before each, and then the end of the connection.
    case drip(bytes: Int, every: Duration)

    /// Whether the client never has all of the reply.
    var losesReply: Bool {
        switch self {
        case .cut, .cutBody: true
        case .whole, .drip: false
        }
    }
}

extension SimulatedReply {
    /// The reply as bytes, for a connection that ends after it.
    var wire: [UInt8] { head + body }

    /// The bytes of it that go out before the connection ends.
    func wire(cut manner: DeliveryManner) -> [UInt8] {
        switch manner {
        case .whole, .drip: wire
        case .cut(let bytes): Array(wire.prefix(bytes))
        case .cutBody(let share): head + body.prefix(Int(Double(body.count) * share))
        }
    }

    private var head: [UInt8] {
        let reason = HTTPResponseStatus(statusCode: status).reasonPhrase
        let length = hasBody ? [Field(name: "Content-Length", value: String(body.count))] : []
        let lines = (fields + length + [Field(name: "Connection", value: "close")]).map {
            "\($0.name): \($0.value)\r\n"
        }
        return Array("HTTP/1.1 \(status) \(reason)\r\n\(lines.joined())\r\n".utf8)
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import FoundationEssentials

/// An HTTP reply.
struct SimulatedReply: Hashable, Sendable {
    /// A header field.
    struct Field: Hashable, Sendable {
        /// The field's name.
        let name: String
        /// The field's value.
        let value: String
    }

    /// The HTTP status.
    var status: Int
    /// Fields beside the length.
    var fields: [Field]
    /// The body.
    var body: [UInt8]
    /// Whether the body goes out in chunks, without its length.
    var isChunked = false

    /// Whether there is a body at all, if an empty one (RFC 9110 section 15.3.5).
    var hasBody: Bool { status != 204 }

    /// A reply with a body of some type, and fields beside it.
    init(_ status: Int, type: String? = nil, _ body: [UInt8] = [], fields: [Field] = []) {
        self.status = status
        self.fields = (type.map { [Field(name: "Content-Type", value: $0)] } ?? []) + fields
        self.body = body
    }

    /// A reply in JSON.
    static func json(_ status: Int, _ value: some Encodable, fields: [Field] = []) -> SimulatedReply {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // What is encoded here are the simulator's own plain values; if one of them cannot be, it shows as an empty body.
        let body = (try? encoder.encode(value)).map { Array($0) } ?? []
        return SimulatedReply(status, type: "application/json", body, fields: fields)
    }

    /// The ordinary error envelope (fact sheet section 8).
    static func envelope(_ status: Int, _ code: String, _ message: String, fields: [Field] = []) -> SimulatedReply {
        json(status, ["error": ["code": code, "message": message]], fields: fields)
    }
}

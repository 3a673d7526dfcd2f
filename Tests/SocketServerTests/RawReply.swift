// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Testing

/// A reply taken apart, to the letter.
struct RawReply: Equatable {
    let status: Int
    let fields: [String: String]
    let body: String

    init(_ text: String) throws {
        let head = try #require(text.firstRange(of: "\r\n\r\n"))
        let lines = text[..<head.lowerBound].split(separator: "\r\n")
        self.status = try #require(Int(lines[0].split(separator: " ")[1]))
        self.fields = Dictionary(
            lines.dropFirst().map { line in
                let parts = line.split(separator: ":", maxSplits: 1)
                return (parts[0].lowercased(), parts[1].drop { $0 == " " }.description)
            },
            uniquingKeysWith: { $0 + ", " + $1 }
        )
        self.body = String(text[head.upperBound...])
    }

    /// The stable code of a problem.
    var code: String? {
        body.firstRange(of: "\"code\":\"").map { String(body[$0.upperBound...].prefix { $0 != "\"" }) }
    }

    /// A field of a flat JSON body, quotes and padding left out.
    subscript(json name: String) -> String? {
        body.firstRange(of: "\"\(name)\":").map { range in
            let rest = body[range.upperBound...].drop { $0 == " " || $0 == "\"" }
            return String(rest.prefix { $0 != "," && $0 != "\"" && $0 != "}" })
        }
    }
}

extension EmbeddedConnection {
    /// Sends a request and gives its answer.
    func ask(_ request: String) throws -> RawReply {
        try send(request)
        return try RawReply(received())
    }

    /// `GET` with the header fields that every client sends.
    func get(_ target: String, _ fields: String...) throws -> RawReply {
        try ask(Self.request("GET", target, fields))
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import FoundationEssentials
import SocketAPI

/// A reply of the daemon: HTTP/1.1 with a `Content-Length`, or a status that never has content; it sends nothing else.
struct HTTPReply: Equatable {
    /// Its status.
    let status: Int
    /// Its body.
    let body: [UInt8]
    /// The lines of the header's fields. So few are looked at that a dictionary of them takes longer to set up.
    private let fields: ArraySlice<Substring>

    /// Bytes of a reply that are read at most: many times what the daemon ever sends.
    static let maximumLength = 1 << 20

    /// Reads a reply from the bytes so far; nil as long as it is not whole.
    static func parse(_ bytes: [UInt8]) throws(Failure) -> HTTPReply? {
        guard let end = headEnd(bytes) else {
            if bytes.count >= maximumLength { throw garbled }
            return nil
        }
        let lines = String(decoding: bytes[..<end], as: UTF8.self).split(separator: "\r\n")
        let fields = lines.dropFirst()
        let words = lines.first?.split(separator: " ", maxSplits: 2) ?? []
        guard words.count >= 2, words[0] == "HTTP/1.1", let status = Int(words[1]),
            let length = isEmpty(status) ? 0 : value(of: "Content-Length", in: fields).flatMap({ Int($0) }),
            (0...maximumLength).contains(length)
        else { throw garbled }
        let body = bytes[(end + 4)...]
        guard body.count >= length else { return nil }
        return HTTPReply(status: status, body: Array(body.prefix(length)), fields: fields)
    }

    /// A header field by its name.
    subscript(name: String) -> String? {
        Self.value(of: name, in: fields)
    }

    /// The body as text.
    var text: String { String(decoding: body, as: UTF8.self) }

    /// The body as what a success holds; a refusal becomes a failure in the daemon's words.
    func decoded<Value: Decodable>(_ type: Value.Type, of user: String?) throws(Failure) -> Value {
        guard status == 200 else { throw failure(of: user) }
        guard let value = try? JSONDecoder().decode(type, from: Data(body)) else { throw Self.garbled }
        return value
    }

    /// What a refusal comes to, in the daemon's words.
    func failure(of user: String?) -> Failure {
        let problem = try? JSONDecoder().decode(Problem.self, from: Data(body))
        return Failure(status: status, problem: problem, retryAfter: retryAfter, user: user)
    }

    /// Seconds after which the daemon wants to be asked again.
    var retryAfter: Int? {
        self["Retry-After"].flatMap { Int($0) }.flatMap { (0...86_400).contains($0) ? $0 : nil }
    }

    /// What it means that a reply is none of the daemon's.
    static let garbled = Failure(.noDaemon, "what answers at the socket is not tastytokend; check --socket")

    /// Whether replies of this status have no content, and so no length (RFC 9110 section 15).
    private static func isEmpty(_ status: Int) -> Bool { status == 304 || status == 204 }

    private static func headEnd(_ bytes: [UInt8]) -> Int? {
        let mark = Array("\r\n\r\n".utf8)
        return bytes.indices.first { bytes[$0...].starts(with: mark) }
    }

    private static func value(of name: String, in fields: ArraySlice<Substring>) -> String? {
        for field in fields {
            let parts = field.split(separator: ":", maxSplits: 1)
            guard parts.count == 2, parts[0].lowercased() == name.lowercased() else { continue }
            return String(parts[1].drop { $0 == " " })
        }
        return nil
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import NIOHTTP1

/// A request, whole and within its bound.
struct SimulatedRequest: Sendable {
    /// The method's name.
    let method: String
    /// The path, still percent-encoded, without the query.
    let path: String
    /// The query as it was sent; empty without one.
    let queryText: String
    /// The query's parameters, decoded; none if they cannot be.
    let query: [String: String]
    /// The header fields.
    let headers: HTTPHeaders
    /// The body.
    let body: [UInt8]

    /// Takes a request apart.
    init(head: HTTPRequestHead, body: [UInt8]) {
        let parts = head.uri.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        self.method = head.method.rawValue
        self.path = String(parts.first ?? "/")
        self.queryText = parts.count > 1 ? String(parts[1]) : ""
        self.query = (try? FormText.fields(Array(queryText.utf8))) ?? [:]
        self.headers = head.headers
        self.body = body
    }

    /// Whether `User-Agent` is there in the form `product/version` (fact sheet section 7).
    var hasUserAgent: Bool {
        guard let agent = headers.first(name: "User-Agent"), let product = agent.split(separator: " ").first else {
            return false
        }
        let parts = product.split(separator: "/", omittingEmptySubsequences: false)
        return parts.count == 2 && parts.allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy(Self.isTokenCharacter) }
            && agent.first != " "
    }

    /// RFC 9110 section 5.6.2.
    private static func isTokenCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default:
            "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}

/// Reads `application/x-www-form-urlencoded`.
enum FormText {
    /// Why a form cannot be used, in words.
    struct Fault: Error {
        /// What is wrong.
        let reason: String
    }

    /// The fields of a form; a field that comes twice is an error (RFC 6749 section 3.2).
    static func fields(_ bytes: [UInt8]) throws(Fault) -> [String: String] {
        var fields: [String: String] = [:]
        for pair in bytes.split(separator: UInt8(ascii: "&")) {
            let parts = pair.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = decode(parts[0]), let value = decode(parts.count > 1 ? parts[1] : []) else {
                throw Fault(reason: "Malformed form body")
            }
            guard fields.updateValue(value, forKey: name) == nil else {
                throw Fault(reason: "Parameter given more than once")
            }
        }
        return fields
    }

    /// The text with percent-encoding undone, and `+` read as a space where it is a form's; nil if it is malformed.
    static func decode(_ bytes: ArraySlice<UInt8>, plusIsSpace: Bool = true) -> String? {
        var decoded: [UInt8] = []
        var rest = bytes
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "+") where plusIsSpace:
                decoded.append(UInt8(ascii: " "))
            case UInt8(ascii: "%"):
                guard let high = hexadecimal(rest.popFirst()), let low = hexadecimal(rest.popFirst()) else {
                    return nil
                }
                decoded.append(high << 4 | low)
            default:
                decoded.append(byte)
            }
        }
        return String(validating: decoded, as: UTF8.self)
    }

    private static func hexadecimal(_ byte: UInt8?) -> UInt8? {
        byte.flatMap { Character(Unicode.Scalar($0)).hexDigitValue }.map { UInt8($0) }
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// What a browser calls the origin of a page (RFC 6454): scheme, host and port, and nothing after them.
///
/// It is kept as browsers write it, so that it can be compared to the letter: in small letters, and without the port that the
/// scheme has anyway.
package struct WebOrigin: Hashable, Sendable, CustomStringConvertible {
    /// Whether pages travel over TLS, which a proxy in front of the daemon sees to.
    package let isSecure: Bool
    /// Host and port as they stand in the field `Host`.
    package let authority: String

    /// The host alone, an IPv6 address without its brackets.
    package var host: String {
        let end = authority.hasPrefix("[") ? authority.firstIndex(of: "]") : authority.firstIndex(of: ":")
        return String(authority[..<(end ?? authority.endIndex)].drop { $0 == "[" })
    }

    /// The port, whether it is written or the scheme's own.
    package var port: Int {
        let digits = authority.last == "]" ? nil : authority.split(separator: ":").dropFirst().last
        return digits.flatMap { Int($0) } ?? (isSecure ? 443 : 80)
    }

    /// As it stands in the field `Origin`.
    package var description: String { "\(isSecure ? "https" : "http")://\(authority)" }

    /// Where TastyTrade sends people back to, if the pages are here: what has to be registered there.
    package var redirectURI: String { "\(self)/tastytrade/oauth/callback" }

    /// Takes the value of `web.publicUrl`.
    ///
    /// - Parameter text: such as `http://localhost:3000`; a slash at its end is left out.
    /// - Throws: why the pages cannot be at this address.
    package init(_ text: String) throws(WebOriginFlaw) {
        let lowercased = text.lowercased()
        guard let separator = lowercased.firstRange(of: "://") else { throw .noScheme }
        switch lowercased[..<separator.lowerBound] {
        case "http": isSecure = false
        case "https": isSecure = true
        default: throw .noScheme
        }
        var rest = lowercased[separator.upperBound...]
        if rest.hasSuffix("/") { rest.removeLast() }
        guard !rest.contains(where: { "/?#@\\".contains($0) }) else { throw .moreThanOrigin }
        let (host, port) = try Self.split(rest)
        guard Self.isHost(host) else { throw .noHost }
        let usual = isSecure ? 443 : 80
        authority = port.map { $0 == usual ? String(host) : "\(host):\($0)" } ?? String(host)
    }

    /// The origin of any page.
    ///
    /// - Parameter address: the page's whole address.
    /// - Throws: why it has none.
    init(ofPage address: String) throws(WebOriginFlaw) {
        guard let separator = address.firstRange(of: "://") else { throw .noScheme }
        let end = address[separator.upperBound...].firstIndex(where: { "/?#".contains($0) }) ?? address.endIndex
        try self.init(String(address[..<end]))
    }

    private static func split(_ text: Substring) throws(WebOriginFlaw) -> (host: Substring, port: Int?) {
        let end = text.hasPrefix("[") ? text.firstIndex(of: "]").map(text.index(after:)) : text.firstIndex(of: ":")
        guard let end, end < text.endIndex else { return (text, nil) }
        let digits = text[end...].dropFirst()
        guard text[end] == ":", digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = Int(digits),
            (1...65_535).contains(port)
        else { throw .noPort }
        return (text[..<end], port)
    }

    /// A name, or an address of either kind, in the characters that browsers send.
    private static func isHost(_ text: Substring) -> Bool {
        if text.hasPrefix("["), text.hasSuffix("]"), text.count > 2 {
            return text.dropFirst().dropLast().allSatisfy { $0.isASCII && ($0.isHexDigit || $0 == ":" || $0 == ".") }
        }
        return !text.isEmpty
            && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "." || $0 == "-" || $0 == "_") }
    }
}

/// Why pages cannot be at an address; a sentence's end after the key's name.
package enum WebOriginFlaw: String, Error, Hashable, Sendable, CustomStringConvertible {
    /// Something else than a page's address.
    case noScheme = "must begin with http:// or https://"
    /// A path, a query or a user.
    case moreThanOrigin = "must end after host and port: the pages have fixed paths"
    /// No host, or one in characters that browsers write otherwise.
    case noHost = "has no host that browsers would send as it is written: write names in ASCII (punycode)"
    /// What follows the host is no port.
    case noPort = "has a port that is no number from 1 to 65535"

    /// The words.
    package var description: String { rawValue }
}

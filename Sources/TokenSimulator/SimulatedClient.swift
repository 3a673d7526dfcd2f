// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// An OAuth client as the simulator knows it. The default values are fakes, shaped like real ones (fact sheet section 2).
package struct SimulatedClient: Hashable, Sendable {
    /// Where clients may have people sent back to, unless they say otherwise.
    package static let usualRedirectURIs = [
        "http://localhost:3000/tastytrade/oauth/callback", "http://localhost:8000",
    ]

    /// What the authorize page calls it.
    package var name = "OptionBotPro"
    /// `client_id`, and `aud` of the grants.
    package var id = "5b1a7c5e-51d0-4c1e-9d3f-7a57e51d0001"
    /// `client_secret`.
    package var secret = "7a57e5ec4e7000000000000000000000000fake1"
    /// What grants may allow at most, separated by spaces.
    package var scope = "read trade openid"
    /// Where people may be sent back to; what is asked for must be exactly one of them.
    package var redirectURIs = Self.usualRedirectURIs

    /// A client with the fake values.
    package init() {}

    /// The scopes one by one.
    var scopes: [String] { ScopeText.words(scope) }

    /// Refuses what would make no sense in a redirect or in a token.
    ///
    /// - Throws: What is wrong with which value.
    package func check() throws(SimulatorFailure) {
        guard !id.isEmpty else { throw SimulatorFailure("a client's id must not be empty") }
        guard !secret.isEmpty else { throw SimulatorFailure("the secret of client \(id) must not be empty") }
        for uri in redirectURIs { try RedirectURI.check(uri) }
        try ScopeText.check(scope)
    }
}

/// Scopes as they are written: words, separated by single spaces (RFC 6749 section 3.3).
package enum ScopeText {
    /// Refuses a text that is no list of scopes.
    ///
    /// - Throws: What is wrong with it.
    package static func check(_ text: String) throws(SimulatorFailure) {
        guard isWellFormed(text) else {
            throw SimulatorFailure("'\(text)' is no list of scopes such as 'read trade openid'")
        }
    }

    /// Whether the text is a list of scopes. A quote or a backslash, which JSON would have to escape, is in none.
    static func isWellFormed(_ text: String) -> Bool {
        let words = text.utf8.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        return words.allSatisfy { word in
            !word.isEmpty && word.allSatisfy { (0x21...0x7E).contains($0) && $0 != 0x22 && $0 != 0x5C }
        }
    }

    /// The scopes of a text, each once, in order.
    static func words(_ text: String) -> [String] {
        var words: [String] = []
        for word in text.split(separator: " ").map(String.init) where !words.contains(word) { words.append(word) }
        return words
    }
}

/// Where a person is sent back to after the authorize page.
package enum RedirectURI {
    /// Refuses what is not a full address: a scheme, something after it, no fragment (RFC 6749 section 3.1.2), and nothing
    /// that a header field could not hold.
    ///
    /// - Throws: What is wrong with it.
    package static func check(_ text: String) throws(SimulatorFailure) {
        let parts = text.firstRange(of: "://").map { (text[..<$0.lowerBound], text[$0.upperBound...]) }
        guard let (scheme, rest) = parts, !rest.isEmpty, !scheme.isEmpty,
            scheme.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "+-.".contains($0)) }),
            rest.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "#") })
        else {
            throw SimulatorFailure("'\(text)' is no redirect URI such as \(SimulatedClient.usualRedirectURIs[0])")
        }
    }

    /// The address with parameters added to its query, in order; those without a value are left out. All but unreserved
    /// characters are percent-encoded, so that it does not matter whether a reader takes `+` for a space.
    static func adding(_ parameters: [(name: String, value: String?)], to address: String) -> String {
        let pairs = parameters.compactMap { name, value in value.map { "\(name)=\(encoded($0))" } }
        let separator =
            !address.contains("?") ? "?" : address.hasSuffix("?") || address.hasSuffix("&") ? "" : "&"
        return address + separator + pairs.joined(separator: "&")
    }

    private static func encoded(_ text: String) -> String {
        text.utf8.map { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                String(Unicode.Scalar(byte))
            default:
                (byte < 16 ? "%0" : "%") + String(byte, radix: 16, uppercase: true)
            }
        }.joined()
    }
}

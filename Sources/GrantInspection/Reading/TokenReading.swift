// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// A token taken apart as far as it can be: a compact JSON Web Signature (RFC 7515, section 7.1), or not.
struct TokenReading: Sendable {
    /// What the text is.
    enum Form: Hashable, Sendable {
        /// No JSON Web Signature, by any sign: TastyTrade has none of those today, and may have them one day.
        case opaque
        /// A JSON Web Encryption (RFC 7516): it says nothing to us.
        case encrypted
        /// A JSON Web Signature.
        case signed
        /// Begins as a JSON Web Signature, and its end is missing.
        case truncated(Loss)
        /// Begins as a JSON Web Signature, and is none.
        case damaged(Damage)
    }

    /// What is missing of a token.
    enum Loss: Hashable, Sendable {
        /// There are one or two of the three parts.
        case parts(Int)
        /// Characters of the signature: so many bytes are there of so many.
        case signature(Int, of: Int)
    }

    /// What is wrong with a token.
    enum Damage: Hashable, Sendable {
        /// Begins as every JSON Web Token does, but its first part cannot be read.
        case header
        /// The second part holds no claims.
        case claims
        /// The third part holds characters that no signature has.
        case signature
        /// There are more than three parts.
        case parts(Int)
    }

    /// What the text is.
    let form: Form
    /// What it says, as far as that could be read.
    let contents: TokenContents?

    /// `{"` in base64url, with which nearly every header begins.
    private static let usualBeginning = "eyJ"

    /// Takes a token apart; its length is bounded by whoever has it.
    init(_ token: Secret) {
        let text = token.reveal()
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard let first = parts.first, let header = Self.fields(first) else {
            self.init(text.hasPrefix(Self.usualBeginning) ? .damaged(.header) : .opaque, nil)
            return
        }
        guard header.text("alg") != nil else {
            self.init(.opaque, nil)
            return
        }
        if header.has("enc"), parts.count == 5 {
            self.init(.encrypted, nil)
            return
        }
        let claims = parts.count > 1 ? Self.fields(parts[1]) : nil
        self.init(Self.form(header, claims, parts), claims.map { TokenContents(header: header, claims: $0) })
    }

    private init(_ form: Form, _ contents: TokenContents?) {
        self.form = form
        self.contents = contents
    }

    private static func fields(_ part: Substring) -> JSONFields? {
        Base64Text.url.decode(String(part)).flatMap(JSONFields.init)
    }

    private static func form(_ header: JSONFields, _ claims: JSONFields?, _ parts: [Substring]) -> Form {
        // A dot at the end begins a part of which nothing was copied.
        let count = parts.last?.isEmpty == true ? parts.count - 1 : parts.count
        guard parts.count <= 3 else { return .damaged(.parts(parts.count)) }
        guard count == 3 else { return .truncated(.parts(count)) }
        guard claims != nil else { return .damaged(.claims) }
        return signatureForm(parts[2].utf8, least: SignatureLength.least(header.text("alg") ?? ""))
    }

    private static func signatureForm(_ part: Substring.UTF8View, least: Int) -> Form {
        // Cut anywhere, a text of base64url ends one time in four with a character that makes no byte.
        let isWhole = part.count % 4 != 1
        guard part.allSatisfy(Base64Text.url.isCharacter) else { return .damaged(.signature) }
        let length = part.count * 3 / 4
        if length < least { return .truncated(.signature(length, of: least)) }
        return isWhole ? .signed : .damaged(.signature)
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// The reply to a good request, and what faults make of it (fact sheet section 4.2).
struct TokenReply {
    /// A member of the object, its value as JSON.
    struct Member {
        /// Its name.
        var name: String
        /// Its value.
        var json: String
    }

    /// How many bytes a token of `huge_access_token` has.
    static let hugeTokenSize = 1 << 20
    /// How many lists lie within each other in `deep`.
    static let depth = 10_000

    /// The access token.
    let accessToken: String
    /// What the reply says of its life.
    let lifetime: Duration
    /// The new refresh token, if there is one.
    var newRefreshToken: String?
    /// The refresh token that was presented; nil where a code was.
    let presentedRefreshToken: String?
    /// What the grant allows, where the reply says so.
    var scope: String?
    /// Who signed in, where the reply says so.
    var identityToken: String?
    /// What is odd about `expires_in`.
    var oddLifetime: OddLifetime?
    /// How it is written.
    var form: FaultEffects.Form?

    /// The reply.
    var reply: SimulatedReply {
        switch form {
        case nil: Self.success(body(members))
        case .malformed(let malformation): malformed(malformation)
        case .variant(let variant): varied(variant)
        case .huge(let bytes, let part): huge(bytes, part)
        }
    }

    /// The members of a good reply: no refresh token, unless it rotates or is the first.
    private var members: [Member] {
        let seconds = String(max(lifetime.components.seconds, 0))
        let expiresIn = oddLifetime.map { $0.json } ?? seconds
        return [.text("access_token", accessToken), .text("token_type", "Bearer")]
            + (expiresIn.map { [Member(name: "expires_in", json: $0)] } ?? [])
            + (newRefreshToken.map { [.text("refresh_token", $0)] } ?? [])
            + (identityToken.map { [.text("id_token", $0)] } ?? [])
            + (scope.map { [.text("scope", $0)] } ?? [])
    }

    /// Written out: a token is base64url and dots, a scope has no quotes, and an encoder here would cost more than the signature.
    private func body(_ members: [Member], separator: String = "") -> [UInt8] {
        let texts = members.map { #""\#($0.name)"\#(separator):\#(separator)\#($0.json)"# }
        return Array("{\(separator)\(texts.joined(separator: ",\(separator)"))\(separator)}".utf8)
    }

    private static func success(_ body: [UInt8], type: String? = "application/json") -> SimulatedReply {
        let noStore = SimulatedReply.Field(name: "Cache-Control", value: "no-store")
        return SimulatedReply(200, type: type, body, fields: [noStore])
    }
}

extension TokenReply {
    private func varied(_ variant: ReplyVariant) -> SimulatedReply {
        var reply = Self.success(body(members))
        switch variant {
        case .created: reply.status = 201
        case .scope: reply.body = body(replacing("scope", #""\#(scope ?? "read trade openid")""#))
        case .idToken: reply.body = body(replacing("id_token", #""\#(identityToken ?? "eyJhbGciOiJub25lIn0.e30.")""#))
        case .noTokenType: reply.body = body(members.filter { $0.name != "token_type" })
        case .lowerCaseType: reply.body = body(replacing("token_type", #""bearer""#))
        case .sameRefreshToken: reply.body = body(replacing("refresh_token", #""\#(knownRefreshToken)""#))
        case .unknownMembers:
            let unknown = [
                Member(name: "user", json: #"{"id":[1,{"x":null}]}"#), Member(name: "issued", json: "1.5e3"),
            ]
            reply.body = body(unknown + members)
        case .whitespace: reply.body = body(members, separator: "\r\n\t ")
        case .escapes: reply.body = body(replacing("token_type", #""\u0042\u0065\u0061\u0072\u0065\u0072""#))
        case .chunked: reply.isChunked = true
        case .noContentType: return Self.success(body(members), type: nil)
        }
        return reply
    }

    private func huge(_ bytes: Int, _ part: HugePart) -> SimulatedReply {
        var reply = Self.success(body(members))
        if part == .header {
            reply.fields.append(.init(name: "X-Padding", value: String(repeating: "x", count: bytes)))
        } else {
            let padding = [UInt8](repeating: UInt8(ascii: " "), count: max(bytes - reply.body.count, 0))
            reply.body.insert(contentsOf: padding, at: 1)
            reply.isChunked = part == .chunked
        }
        return reply
    }

    private func malformed(_ malformation: Malformation) -> SimulatedReply {
        switch malformation {
        case .html: return .page(200, "OK")
        case .errorIn200: return .refusal(200, "invalid_grant", "Grant revoked")
        case .gzip: return Self.compressed(Gzip.stored(body(members)))
        case .gzipBomb: return Self.compressed(Gzip.bomb)
        default: return Self.success(brokenBody(malformation) ?? body(brokenMembers(malformation)))
        }
    }

    private static func compressed(_ body: [UInt8]) -> SimulatedReply {
        var reply = success(body)
        reply.fields.append(.init(name: "Content-Encoding", value: "gzip"))
        return reply
    }

    /// Bodies that are no object with other members.
    private func brokenBody(_ malformation: Malformation) -> [UInt8]? {
        let good = body(members)
        switch malformation {
        case .empty: return []
        case .notJSON: return Array("OK".utf8)
        case .list: return Array("[".utf8) + good + Array("]".utf8)
        case .null: return Array("null".utf8)
        case .truncatedJSON: return Array(good.prefix(good.count / 2))
        case .trailing: return good + Array("}".utf8)
        case .invalidUTF8: return good.map { $0 == UInt8(ascii: ".") ? 0xFF : $0 }
        case .dataWrapper: return Array(#"{"data":"#.utf8) + good + Array(#","context":"/oauth/token"}"#.utf8)
        default: return nil
        }
    }

    private func brokenMembers(_ malformation: Malformation) -> [Member] {
        switch malformation {
        case .deep:
            let lists = String(repeating: "[", count: Self.depth) + String(repeating: "]", count: Self.depth)
            return [Member(name: "extra", json: lists)] + members
        case .duplicateKeys: return [.text("access_token", "planted.planted.planted")] + members
        case .wrongTypes:
            return [
                Member(name: "access_token", json: "42"), Member(name: "token_type", json: #"["Bearer"]"#),
                Member(name: "expires_in", json: #"{"seconds":900}"#),
            ]
        case .dashedKeys:
            return members.map { Member(name: $0.name.split(separator: "_").joined(separator: "-"), json: $0.json) }
        case .missingAccessToken: return members.filter { $0.name != "access_token" }
        case .nullAccessToken: return replacing("access_token", "null")
        case .emptyAccessToken: return replacing("access_token", #""""#)
        case .brokenAccessToken: return replacing("access_token", #""\#(accessToken)\r\nX-Planted: yes""#)
        case .hugeAccessToken:
            return replacing("access_token", #""\#(String(repeating: "x", count: Self.hugeTokenSize))""#)
        case .missingRefreshToken: return members.filter { $0.name != "refresh_token" }
        case .nullRefreshToken: return replacing("refresh_token", "null")
        case .emptyRefreshToken: return replacing("refresh_token", #""""#)
        case .numberRefreshToken: return replacing("refresh_token", "42")
        case .refreshTokenOnly: return [.text("refresh_token", newRefreshToken ?? knownRefreshToken)]
        case .unknownTokenType: return replacing("token_type", #""mac""#)
        default: return members
        }
    }

    /// The refresh token that the client has, or is about to have.
    private var knownRefreshToken: String { presentedRefreshToken ?? newRefreshToken ?? "" }

    /// The members with one in place of its like, or added.
    private func replacing(_ name: String, _ json: String) -> [Member] {
        members.filter { $0.name != name } + [Member(name: name, json: json)]
    }
}

extension TokenReply.Member {
    /// A member with a text that needs no escapes.
    fileprivate static func text(_ name: String, _ text: String) -> Self {
        Self(name: name, json: #""\#(text)""#)
    }
}

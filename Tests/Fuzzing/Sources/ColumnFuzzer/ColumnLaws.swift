// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

@testable import TokenCipher

/// What must be so whatever the bytes are. Each breach ends the process.
enum ColumnLaws {
    private static let place = ColumnPlace(.accessToken, of: UserID("42"), in: .sandbox)
    private static let others = [
        ColumnPlace(.refreshToken, of: UserID("42"), in: .sandbox),
        ColumnPlace(.accessToken, of: UserID("4"), in: .sandbox),
        ColumnPlace(.accessToken, of: UserID("42"), in: .production),
    ]
    private static let clear = ClearColumns()
    private static let jwe = made { JWEColumns(try JWEKeySet(Array(keys.utf8)) { _ in .open }) }
    private static let rails = made { RailsColumns(try RailsKeys(settings) { RailsKey(named: $0.reveal(), $1) }) }
    private static let keys = #"{"keys":[{"kty":"oct","kid":"a","k":"\#(key)"},{"kty":"oct","kid":"b","k":"\#(key)"}]}"#
    private static let key = String(repeating: "A", count: 43)
    private static let settings = RailsSettings(
        primaryKeys: [Secret("ecf5"), Secret("65b8")],
        deterministicKey: Secret("0c2f"),
        keyDerivationSalt: Secret("salt")
    )

    /// A stored value: all modes agree on what is clear text; what opens opens nowhere else, and is written in one way only.
    static func holdForStored(_ text: String) {
        let isClear = clear.open(text, at: place) == .clear(Secret(text))
        let asJWE = jwe.open(text, at: place)
        let asRails = rails.open(text, at: place)
        precondition((asJWE == .clear(Secret(text))) == isClear, "jwe and none disagree on what is clear")
        precondition((asRails == .clear(Secret(text))) == isClear, "rails and none disagree on what is clear")
        if asJWE.secret != nil, !isClear { holdForOpenedJWE(text) }
        if asRails.secret != nil, !isClear { holdForOpenedMessage(text, asRails) }
    }

    private static func holdForOpenedJWE(_ text: String) {
        for other in others { precondition(jwe.open(text, at: other).secret == nil, "opened in another place") }
        var text = text
        let again = text.withUTF8 { CompactJWE($0).map { CompactJWE.text($0.encodedHeader, $0.box) } }
        precondition(again == text, "a JWE was read that would be written differently")
    }

    private static func holdForOpenedMessage(_ text: String, _ opened: OpenedColumn) {
        var text = text
        let again = text.withUTF8 { try? RailsMessage($0).text }
        let secret = again.map { rails.open($0, at: place) }?.secret
        precondition(secret == opened.secret, "a message that was read and written gives another secret")
    }

    /// A secret: what was sealed opens, in both formats, and looks sealed.
    static func holdForSecret(_ text: String) {
        let secret = Secret(text)
        guard text.utf8.count <= SealingFailure.secretLimit else { return }
        for manner in [SealManner.random, .deterministic] {
            for columns in [jwe, rails] as [any ColumnSealing] {
                let stored = made { try columns.seal(secret, at: place, manner) }
                precondition(columns.open(stored, at: place).secret == secret, "what was sealed does not open")
                precondition(clear.open(stored, at: place).secret == nil, "what was sealed does not look so")
            }
        }
        let row = ColumnPlace(.accessToken, of: UserID(text), in: .sandbox)
        let stored = made { try jwe.seal(secret, at: row) }
        precondition(jwe.open(stored, at: row).secret == secret, "what was sealed for a row does not open there")
    }

    /// A set of keys: one that can be read can have one more key, which then is the first.
    static func holdForKeySet(_ text: [UInt8]) {
        guard let set = try? JWEKeySet(text, cipher: { _ in .open }) else { return }
        let generator = KeyGenerator { [UInt8](repeating: 0, count: $0) }
        guard let added = try? generator.addKey(to: text) else {
            precondition(set.ids.contains("AAAAAAAAAAAA"), "no key could be added")
            return
        }
        let ids = (try? JWEKeySet(added.set) { _ in .open })?.ids
        precondition(ids == [added.id] + set.ids, "a key was added in another place")
    }

    /// What must not fail.
    private static func made<Value>(_ make: () throws -> Value) -> Value {
        do {
            return try make()
        } catch {
            fatalError("could not be made: \(error)")
        }
    }
}

extension ColumnCipher {
    /// In place of a cipher, whose tags nobody could guess: takes every tag but one that begins with zero, so that what comes
    /// after the opening is looked at too.
    fileprivate static let open = ColumnCipher(
        seal: { bytes, nonce, _ in
            (nonce ?? [UInt8](repeating: 7, count: nonceBytes)) + bytes + [UInt8](repeating: 1, count: tagBytes)
        },
        open: { box, _ in box[box.count - tagBytes] == 0 ? nil : Array(box[nonceBytes...].dropLast(tagBytes)) }
    )
}

extension RailsKey {
    /// A key whose name is its password, or that with another first digit.
    fileprivate init(named name: String, _ digest: RailsSettings.Digest) {
        self.init(id: digest == .sha256 ? name : "f" + name.dropFirst(), cipher: .open) {
            Array(($0 + Self.filler).prefix(12))
        }
    }

    private static let filler = [UInt8](repeating: 0, count: ColumnCipher.nonceBytes)
}

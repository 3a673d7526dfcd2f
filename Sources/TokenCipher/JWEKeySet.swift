// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// The keys of `encryption.mode: jwe`: a JWK Set of symmetric keys, of which the first seals and all open.
package struct JWEKeySet: Sendable {
    /// The key that seals.
    let sealing: JWEKey
    /// All keys, the one that seals first.
    let all: [JWEKey]

    /// Reads a set.
    ///
    /// - Parameters:
    ///   - text: the set as JSON.
    ///   - cipher: what makes use of a key's 32 bytes.
    /// - Throws: the first thing that is wrong with the set, and with which key.
    init(_ text: [UInt8], cipher: ([UInt8]) -> ColumnCipher) throws(KeySetFault) {
        var keys: [JWEKey] = []
        for (index, element) in try Self.list(text).enumerated() {
            do throws(KeyFault) {
                var key = try JWK(element, seals: index == 0)
                defer { key.wipe() }
                if let twin = keys.firstIndex(where: { $0.id == key.id }) { throw .sameIdentifier(as: twin + 1) }
                keys.append(JWEKey(id: key.id, cipher: cipher(key.bytes)))
            } catch {
                throw .key(index + 1, error)
            }
        }
        guard let first = keys.first else { throw .empty }
        self.sealing = first
        self.all = keys
    }

    /// The ids of the keys, the one that seals first.
    package var ids: [String] { all.map(\.id) }

    /// The key of that id.
    subscript(id: String) -> JWEKey? { all.first { $0.id == id } }

    private static func list(_ text: [UInt8]) throws(KeySetFault) -> [JSONTree] {
        guard let tree = JSONTreeReader.read(text) else { throw .notJSON }
        guard let list = tree.members?["keys"]?.elements else { throw .noList }
        return list
    }
}

/// One key of a set, as far as it is used here (RFC 7517, section 4; RFC 7518, section 6.4).
private struct JWK {
    private static let keyBytes = 32
    private static let identifierLimit = 64

    let id: String
    private(set) var bytes: [UInt8]

    /// Overwrites the key, once it is where it stays.
    mutating func wipe() {
        bytes.wipe()
    }

    init(_ tree: JSONTree, seals: Bool) throws(KeyFault) {
        guard let members = tree.members else { throw .notAnObject }
        guard try Self.text("kty", members) == "oct" else { throw .type }
        id = try Self.text("kid", members)
        guard Self.isIdentifier(id) else { throw .identifier }
        try Self.look(atPurposeIn: members, seals: seals)
        guard let bytes = Base64Text.url.decode(try Self.text("k", members)) else { throw .encoding }
        guard bytes.count == Self.keyBytes else { throw .length(bytes.count) }
        self.bytes = bytes
    }

    private static func text(_ name: String, _ members: JSONMembers) throws(KeyFault) -> String {
        guard let text = members[name]?.text else { throw .noText(name) }
        return text
    }

    /// RFC 3986's unreserved characters, which need no escape in JSON, in a metric, on a line.
    private static func isIdentifier(_ id: String) -> Bool {
        (1...identifierLimit).contains(id.utf8.count) && id.unicodeScalars.allSatisfy(isUnreserved)
    }

    private static func isUnreserved(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", "-", ".", "_", "~": true
        default: false
        }
    }

    /// All three say what a key is for; those that are there must allow what is done with it.
    private static func look(atPurposeIn members: JSONMembers, seals: Bool) throws(KeyFault) {
        guard [nil, .string("enc")].contains(members["use"]) else { throw .purpose("use") }
        guard [nil, .string("dir"), .string("A256GCM")].contains(members["alg"]) else { throw .purpose("alg") }
        guard let operations = members["key_ops"] else { return }
        let allowed = operations.elements ?? []
        guard allowed.contains(.string("decrypt")), !seals || allowed.contains(.string("encrypt")) else {
            throw .purpose("key_ops")
        }
    }
}

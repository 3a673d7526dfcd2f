// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// Adds a key to a JWK Set. The new key is the first one, so that it seals from then on; the others go on opening.
package struct KeyGenerator {
    private static let keyBytes = 32
    /// The id is random, and not the key's thumbprint (RFC 7638): it tells nothing about the key.
    private static let identifierBytes = 9

    private let random: (Int) -> [UInt8]

    /// - Parameter random: so many bytes that nobody can guess.
    package init(random: @escaping (Int) -> [UInt8]) {
        self.random = random
    }

    /// The text of a set with one more key.
    ///
    /// - Parameter set: the set so far, of which all else stays as it stands; nil for a new one.
    /// - Returns: the text to be stored, which is as secret as a key, and the new key's id.
    /// - Throws: what is wrong with the set. Places are counted as with the new key, which is the first.
    package func addKey(to set: [UInt8]? = nil) throws(KeySetFault) -> (set: [UInt8], id: String) {
        let id = String(decoding: Base64Text.url.encode(random(Self.identifierBytes)), as: UTF8.self)
        let key = String(decoding: Base64Text.url.encode(random(Self.keyBytes)), as: UTF8.self)
        // Without `alg`: some libraries want the name of the key's algorithm there, some that of the content's.
        let member = #"{"kty":"oct","use":"enc","kid":"\#(id)","k":"\#(key)"}"#
        let text =
            try set.map { (set) throws(KeySetFault) in try Self.insert(member, into: set) } ?? Self.newSet(member)
        // What was made is read as it will be: an id that came twice, or too few random bytes, is found here.
        _ = try JWEKeySet(text) { _ in .none }
        return (text, id)
    }

    private static func newSet(_ member: String) -> [UInt8] {
        Array("{\"keys\":[\n\(member)\n]}\n".utf8)
    }

    private static func insert(_ member: String, into set: [UInt8]) throws(KeySetFault) -> [UInt8] {
        guard let tree = JSONTreeReader.read(set) else { throw .notJSON }
        guard case .array(let keys, contentAt: let start)? = tree.members?["keys"] else { throw .noList }
        return set[..<start] + Array(("\n" + member + (keys.isEmpty ? "\n" : ",")).utf8) + set[start...]
    }
}

extension ColumnCipher {
    /// Of no use; where only the form of a set is looked at.
    fileprivate static let none = ColumnCipher(seal: { _, _, _ in nil }, open: { _, _ in nil })
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import TokenCore

/// `encryption.mode: jwe`: each secret is a compact JWE (RFC 7516) with `dir` and `A256GCM`, bound to its place.
package struct JWEColumns: ColumnSealing {
    private let keys: JWEKeySet

    /// Seals with the first of the keys, and opens with all.
    package init(_ keys: JWEKeySet) {
        self.keys = keys
    }

    /// `kid` of the first key.
    package var sealingKeyID: String? { keys.sealing.id }

    /// Each key of the set, by its `kid`.
    package var configuredKeys: [ConfiguredKey] {
        keys.ids.map { ConfiguredKey(name: $0, ids: [$0], seals: $0 == keys.sealing.id) }
    }

    /// The secret as a JWE; another one each time, whatever the manner.
    package func seal(_ secret: Secret, at place: ColumnPlace, _ manner: SealManner) throws(SealingFailure) -> String {
        var bytes = Array(secret.reveal().utf8)
        defer { bytes.wipe() }
        guard bytes.count <= SealingFailure.secretLimit else { throw .tooLong }
        let header = keys.sealing.encodedHeader(for: place)
        guard let box = keys.sealing.cipher.seal(bytes, nil, header) else { throw .refused }
        return CompactJWE.text(header, box)
    }

    /// What stands there: a JWE that was sealed for that place, by us or by somebody else with the same members, or clear text.
    package func open(_ stored: String, at place: ColumnPlace) -> OpenedColumn {
        var stored = stored
        return stored.withUTF8 { opened($0, at: place) } ?? .clear(Secret(stored))
    }

    /// Whether the header is to the byte what we would have written with one of the keys.
    package func claimsToOpen(_ stored: String, at place: ColumnPlace) -> Bool {
        var stored = stored
        return stored.withUTF8 { text in
            guard let key = keys.all.first(where: { text.starts(with: $0.encodedStart(for: place)) }) else {
                return false
            }
            return text.starts(with: key.encodedHeader(for: place))
        }
    }

    /// What a value holds; nil if it is clear text.
    private func opened(_ text: UnsafeBufferPointer<UInt8>, at place: ColumnPlace) -> OpenedColumn? {
        do throws(SealFault) {
            if let ours = try openOurs(text, at: place) { return ours }
            return try openAny(text, at: place)
        } catch {
            return .unreadable(error)
        }
    }

    /// Opens a value whose header is to the byte what we would have written; nil if it is another one.
    private func openOurs(_ text: UnsafeBufferPointer<UInt8>, at place: ColumnPlace) throws(SealFault) -> OpenedColumn?
    {
        guard text.count <= SealedLength.limit,
            let key = keys.all.first(where: { text.starts(with: $0.encodedStart(for: place)) })
        else { return nil }
        let header = key.encodedHeader(for: place)
        guard text.starts(with: header), let box = CompactJWE.box(of: text, afterHeaderOf: header.count) else {
            return nil
        }
        return try open(box, boundTo: header, with: key)
    }

    /// Opens a value that anybody may have written; nil if it is clear text.
    private func openAny(_ text: UnsafeBufferPointer<UInt8>, at place: ColumnPlace) throws(SealFault) -> OpenedColumn? {
        guard let format = SealFormat(of: text) else { return nil }
        guard format == .jwe else { throw .otherFormat(format) }
        guard text.count <= SealedLength.limit else { throw .tooLong }
        guard let parts = CompactJWE(text), let header = Base64Text.url.decode(parts.encodedHeader) else {
            throw .malformed(.jwe)
        }
        let named = try JWEHeader(header)
        guard let key = keys[named.keyID] else {
            throw .unknownKey(SafeText(foreign: named.keyID, toBytes: SafeText.codeLimit))
        }
        let opened = try open(parts.box, boundTo: parts.encodedHeader, with: key)
        try named.expect(place)
        return opened
    }

    private func open(_ box: [UInt8], boundTo header: [UInt8], with key: JWEKey) throws(SealFault) -> OpenedColumn {
        guard var bytes = key.cipher.open(box, header) else { throw .notAuthentic }
        defer { bytes.wipe() }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw .notText }
        return .sealed(Secret(text), by: SealingKey(id: key.id, sealsNow: key.id == keys.sealing.id))
    }
}

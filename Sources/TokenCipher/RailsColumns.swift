// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import TokenCore

/// `encryption.mode: rails`: each secret is a message of Active Record Encryption, as Rails 7.0 to 8 write it. Such a value is
/// not bound to its place: the format has nothing for that.
package struct RailsColumns: ColumnSealing {
    /// What is longer is compressed before it is sealed, in bytes.
    private static let compressedAbove = 140

    private let keys: RailsKeys

    /// Seals with the last of the primary keys, and opens with all keys.
    package init(_ keys: RailsKeys) {
        self.keys = keys
    }

    /// Active Record's id of the last primary key.
    package var sealingKeyID: String? { keys.sealing(.random)?.id }

    /// Each password: it makes two keys, one by each digest, and both open values.
    package var configuredKeys: [ConfiguredKey] { keys.configured }

    /// The secret as a message, compressed where Rails would have done so.
    package func seal(_ secret: Secret, at place: ColumnPlace, _ manner: SealManner) throws(SealingFailure) -> String {
        let text = Array(secret.reveal().utf8)
        guard text.count <= SealingFailure.secretLimit else { throw .tooLong }
        guard let key = keys.sealing(manner) else { throw .noDeterministicKey }
        let isCompressed = text.count > Self.compressedAbove
        guard let bytes = isCompressed ? ZlibStream.deflate(text) : text,
            let box = key.cipher.seal(bytes, manner == .deterministic ? key.deterministicNonce(bytes) : nil, [])
        else { throw .refused }
        return RailsMessage(box: box, keyID: keys.storesReferences ? key.id : nil, isCompressed: isCompressed).text
    }

    /// What stands there: a message that one of the keys opens, or clear text.
    package func open(_ stored: String, at place: ColumnPlace) -> OpenedColumn {
        var stored = stored
        return stored.withUTF8 { opened($0) } ?? .clear(Secret(stored))
    }

    /// What a value holds; nil if it is clear text.
    private func opened(_ text: UnsafeBufferPointer<UInt8>) -> OpenedColumn? {
        do throws(SealFault) {
            return try open(text)
        } catch {
            return .unreadable(error)
        }
    }

    /// Opens a message; nil if it is clear text.
    private func open(_ text: UnsafeBufferPointer<UInt8>) throws(SealFault) -> OpenedColumn? {
        guard let format = SealFormat(of: text) else { return nil }
        guard format == .rails else { throw .otherFormat(format) }
        guard text.count <= SealedLength.limit else { throw .tooLong }
        let message = try RailsMessage(text)
        let (bytes, use) = try open(message)
        let key = SealingKey(id: use.key.id, sealsNow: use.seals, manner: use.manner)
        return .sealed(Secret(try Self.text(bytes, of: message)), by: key)
    }

    /// Tries the keys that come into question, one after the other. A message that names its key is tried with no other.
    private func open(_ message: RailsMessage) throws(SealFault) -> (bytes: [UInt8], use: RailsKeys.Use) {
        let candidates = keys.candidates(named: message.keyID)
        if candidates.isEmpty, let id = message.keyID {
            throw .unknownKey(SafeText(foreign: id, toBytes: SafeText.codeLimit))
        }
        for use in candidates {
            if let bytes = use.key.cipher.open(message.box, []) { return (bytes, use) }
        }
        throw .notAuthentic
    }

    /// The text that was sealed.
    private static func text(_ bytes: [UInt8], of message: RailsMessage) throws(SealFault) -> String {
        let plain = message.isCompressed ? try inflate(bytes) : bytes
        try RailsEncoding.expectUTF8(plain, in: message.encoding)
        guard let text = String(validating: plain, as: UTF8.self) else { throw .notText }
        return text
    }

    private static func inflate(_ bytes: [UInt8]) throws(SealFault) -> [UInt8] {
        do throws(ZlibStream.Fault) {
            return try ZlibStream.inflate(bytes, atMost: SealingFailure.secretLimit)
        } catch {
            throw error == .tooLong ? .tooLong : .malformed(.rails)
        }
    }
}

/// What header `e` says of a text's bytes.
private enum RailsEncoding {
    /// Fails unless bytes in that encoding are the same in UTF-8. Ruby tags a text by where it came from, so that tokens,
    /// which are ASCII, come under several names; only what could mean other characters is refused.
    static func expectUTF8(_ bytes: [UInt8], in encoding: String?) throws(SealFault) {
        switch encoding {
        case nil, "UTF-8", "US-ASCII", "ASCII-8BIT": return
        case "ISO-8859-1", "ISO-8859-15", "Windows-1252":
            if bytes.allSatisfy({ $0 < 0x80 }) { return }
        default: break
        }
        throw .unsupported(.encoding)
    }
}

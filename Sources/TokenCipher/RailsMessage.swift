// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// What Active Record Encryption stores in a text column: a JSON object with the sealed bytes (`p`) and headers (`h`).
struct RailsMessage: Hashable, Sendable {
    /// Nonce, sealed bytes and tag.
    let box: [UInt8]
    /// The name of the key (`i`).
    let keyID: String?
    /// Whether the bytes were compressed before they were sealed (`c`).
    let isCompressed: Bool
    /// The name of the text's encoding (`e`), where it is not UTF-8.
    let encoding: String?

    /// Puts together what is to be written; the text is UTF-8.
    init(box: [UInt8], keyID: String?, isCompressed: Bool) {
        self.box = box
        self.keyID = keyID
        self.isCompressed = isCompressed
        encoding = nil
    }
}

extension RailsMessage {
    /// Reads what anybody may have written: members in any order, white space, members that are not known here. More than
    /// Rails this refuses two members of one name, and a nonce or tag that has not its length.
    init(_ text: UnsafeBufferPointer<UInt8>) throws(SealFault) {
        guard let message = JSONTreeReader.read(text)?.members, let headers = message["h"]?.members else {
            throw .malformed(.rails)
        }
        guard headers["k"] == nil else { throw .unsupported(.envelope) }
        guard let box = Self.box(message["p"]?.text, headers["iv"]?.text, headers["at"]?.text) else {
            throw .malformed(.rails)
        }
        self.box = box
        keyID = try Self.text("i", headers)
        encoding = try Self.text("e", headers)
        isCompressed = try Self.flag("c", headers)
    }

    private static func box(_ sealed: String?, _ nonce: String?, _ tag: String?) -> [UInt8]? {
        guard var sealed, var nonce, var tag else { return nil }
        return sealed.withUTF8 { sealed in
            nonce.withUTF8 { nonce in
                tag.withUTF8 { ColumnCipher.box(.standard, nonce: nonce, sealed: sealed, tag: $0) }
            }
        }
    }

    /// A header that holds text in base64; nil if it is not there.
    private static func text(_ name: String, _ headers: JSONMembers) throws(SealFault) -> String? {
        guard let header = headers[name] else { return nil }
        guard let bytes = header.text.flatMap(Base64Text.standard.decode),
            let text = String(validating: bytes, as: UTF8.self)
        else { throw .malformed(.rails) }
        return text
    }

    private static func flag(_ name: String, _ headers: JSONMembers) throws(SealFault) -> Bool {
        switch headers[name] {
        case nil: false
        case .bool(let value): value
        default: throw .malformed(.rails)
        }
    }
}

extension RailsMessage {
    /// The message as Rails writes it, to the byte: this order, no white space, `/` as it is.
    var text: String {
        let tag = box.count - ColumnCipher.tagBytes
        var text = #"{"p":""# + Self.base64(box[ColumnCipher.nonceBytes..<tag])
        text += #"","h":{"iv":""# + Self.base64(box[..<ColumnCipher.nonceBytes])
        text += #"","at":""# + Self.base64(box[tag...]) + "\""
        if let keyID { text += #","i":""# + Self.base64(Array(keyID.utf8)[...]) + "\"" }
        if isCompressed { text += #","c":true"# }
        return text + "}}"
    }

    private static func base64(_ bytes: ArraySlice<UInt8>) -> String {
        String(decoding: Base64Text.standard.encode(Array(bytes)), as: UTF8.self)
    }
}

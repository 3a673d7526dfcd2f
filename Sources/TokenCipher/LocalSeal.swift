// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// Seals what a daemon keeps in files of its own host, with the key of its own: AES-256-GCM.
///
/// A sealed value is a byte that names the form (1), a nonce of 12 bytes, as many sealed bytes as there were in clear, and a
/// tag of 16. It is bound to that form, to a purpose and to what the caller binds it to besides, and opens nowhere else.
package struct LocalSeal: Sendable {
    private static let form: UInt8 = 1

    private let cipher: ColumnCipher
    private let purpose: [UInt8]

    /// A seal for one purpose. What is sealed for another one does not open.
    init(_ cipher: ColumnCipher, purpose: String) {
        self.cipher = cipher
        self.purpose = Array("tastytokend local \(Self.form)\0\(purpose)\0".utf8)
    }

    /// Bytes sealed, another way each time.
    ///
    /// - Parameters:
    ///   - bytes: what is to be kept.
    ///   - place: what it is bound to besides, such as the record's number; it stays in clear elsewhere.
    /// - Returns: nil if the cipher refuses, which it does for nothing that fits into memory twice.
    package func seal(_ bytes: [UInt8], at place: [UInt8] = []) -> [UInt8]? {
        cipher.seal(bytes, nil, purpose + place).map { [Self.form] + $0 }
    }

    /// What was sealed for this purpose at that place. The caller overwrites it when it is done with it.
    package func open(_ sealed: [UInt8], at place: [UInt8] = []) throws(LocalSealFault) -> [UInt8] {
        guard let form = sealed.first else { throw .notAuthentic }
        guard form == Self.form else { throw .unknownForm(form) }
        guard let bytes = cipher.open(Array(sealed.dropFirst()), purpose + place) else { throw .notAuthentic }
        return bytes
    }
}

/// Why something that was sealed on this host does not open. Says nothing of what it holds.
package enum LocalSealFault: Error, Hashable, Sendable, CustomStringConvertible {
    /// It has a form that this version does not know.
    case unknownForm(UInt8)
    /// It was changed, or sealed with another key, for another purpose or at another place.
    case notAuthentic

    /// What is wrong, to be continued after the name of what was to be opened.
    package var description: String {
        switch self {
        case .unknownForm(let form): "has form \(form), which a newer version may know"
        case .notAuthentic: "does not open: it was changed, or sealed with another local-key or for something else"
        }
    }
}

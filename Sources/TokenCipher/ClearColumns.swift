// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import TokenCore

/// `encryption.mode: none`: secrets are stored as they are, and what is sealed stays closed.
package struct ClearColumns: ColumnSealing {
    /// Needs nothing.
    package init() {}

    /// None: nothing is sealed.
    package var sealingKeyID: String? { nil }

    /// There is no key.
    package var configuredKeys: [ConfiguredKey] { [] }

    /// The secret itself.
    package func seal(_ secret: Secret, at place: ColumnPlace, _ manner: SealManner) throws(SealingFailure) -> String {
        let text = secret.reveal()
        guard Self.form(of: text) == nil else { throw .looksSealed }
        return text
    }

    /// What stands there, unless it has the form of a sealed value.
    package func open(_ stored: String, at place: ColumnPlace) -> OpenedColumn {
        Self.form(of: stored).map { .unreadable(.otherFormat($0)) } ?? .clear(Secret(stored))
    }

    private static func form(of text: String) -> SealFormat? {
        var text = text
        return text.withUTF8 { SealFormat(of: $0) }
    }
}

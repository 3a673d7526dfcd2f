// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// A text that must never be printed: a token, a refresh token, a client secret.
///
/// Every way in which Swift turns a value into text (interpolation, `print`, `dump`, a failed expectation, a reflecting
/// template engine) shows the placeholder. The text leaves only through ``reveal()``, which is easy to look for.
package struct Secret: Hashable, Sendable {
    private let text: String

    /// Takes possession of the text. The caller's own copy is the caller's to forget.
    package init(_ text: String) {
        self.text = text
    }

    /// The secret itself, for the one who must send, store or serve it.
    package func reveal() -> String {
        text
    }

    /// Whether there is nothing in it; an empty column or form field is no secret.
    package var isEmpty: Bool { text.isEmpty }

    /// Sixty-four bits that differ when the secret differs, valid within this process only. Hashing is seeded anew for
    /// each process, so the number tells nothing about the secret to whoever reads it elsewhere.
    package var fingerprint: Int {
        var hasher = Hasher()
        hasher.combine(text)
        return hasher.finalize()
    }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// What stands in place of any secret.
    package static let placeholder = "<redacted>"

    /// The placeholder.
    package var description: String { Self.placeholder }

    /// The placeholder: the debug form is as safe as the plain one.
    package var debugDescription: String { Self.placeholder }

    /// A mirror without children, so that reflection finds nothing.
    package var customMirror: Mirror { Mirror(self, children: []) }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// What was found in a column.
package enum OpenedColumn: Hashable, Sendable {
    /// It stands there in clear.
    case clear(Secret)
    /// It was sealed, and opened.
    case sealed(Secret, by: SealingKey)
    /// It is sealed, or was once and is damaged. Nobody may take it for a secret, nor overwrite it.
    case unreadable(SealFault)

    /// The secret, where there is one to be had.
    package var secret: Secret? {
        switch self {
        case .clear(let secret), .sealed(let secret, by: _): secret
        case .unreadable: nil
        }
    }
}

/// The key that opened a value, without the key itself: what is counted and told.
package struct SealingKey: Hashable, Sendable {
    /// Its name: `kid` of a JWK, Active Record's key id. Safe to print and short, since our own keys are named so.
    package let id: String
    /// Whether new values are sealed just so. If not, the value wants to be sealed anew.
    package let sealsNow: Bool
    /// How the value was sealed; its column wants the next one in the same manner.
    package let manner: SealManner

    /// Puts together what is told of a key.
    package init(id: String, sealsNow: Bool, manner: SealManner = .random) {
        self.id = id
        self.sealsNow = sealsNow
        self.manner = manner
    }
}

/// A key as it is configured, without the key itself: what can be removed, or must stay.
package struct ConfiguredKey: Hashable, Sendable {
    /// How people find it in the configuration. Safe to print.
    package let name: String
    /// The ids under which it opens values.
    package let ids: Set<String>
    /// Whether new values are sealed with it, of whichever column.
    package let seals: Bool

    /// Puts together what is told of a key.
    package init(name: String, ids: Set<String>, seals: Bool) {
        self.name = name
        self.ids = ids
        self.seals = seals
    }
}

/// How a value is sealed.
package enum SealManner: Hashable, Sendable {
    /// Differently each time.
    case random
    /// The same secret always in the same way, as Active Record does for columns that are searched by their value
    /// (`deterministic: true`), with a key of their own. Only the mode `rails` knows it.
    case deterministic
}

/// The forms in which a value may be sealed.
package enum SealFormat: String, Hashable, Sendable {
    /// Compact JWE (RFC 7516).
    case jwe
    /// Active Record's message.
    case rails
}

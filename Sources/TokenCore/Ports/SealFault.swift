// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// Why a stored value cannot be opened. Says nothing of what stands there, and may be logged and shown.
package enum SealFault: Error, Hashable, Sendable {
    /// What a value uses that is not read here.
    package enum Feature: Hashable, Sendable {
        /// Another way of encryption than `dir` with `A256GCM`.
        case algorithm
        /// `zip`: what was compressed before it was sealed tells something of itself by its length.
        case compression
        /// `crit`: extensions that must be understood, of which none is.
        case extensions
        /// A value of Active Record with a key of its own inside (`k`). It could be opened, but the application could not
        /// read what would be written in its place.
        case envelope
        /// Text in another encoding than UTF-8.
        case encoding
    }

    /// The parts of a ``ColumnPlace``.
    package enum PlacePart: String, Hashable, Sendable {
        /// Sandbox or production.
        case environment
        /// Another column of the row.
        case column
        /// Another user's row.
        case row
    }

    /// It has not the form that it begins or ends as.
    case malformed(SealFormat)
    /// It has the form that another `encryption.mode` writes.
    case otherFormat(SealFormat)
    /// It is longer than anything that is sealed here.
    case tooLong
    /// It has the form, but with something that is not read here.
    case unsupported(Feature)
    /// It names no key, where it has to.
    case unnamedKey
    /// It names a key that is not among those configured.
    case unknownKey(SafeText)
    /// No key opens it: it was changed, or sealed with another key.
    case notAuthentic
    /// It opens, but does not say for which place it was sealed.
    case unbound
    /// It opens, but was sealed for another place.
    case otherPlace(PlacePart)
    /// It opens, and is no text.
    case notText
}

extension SealFault: CustomStringConvertible {
    /// What is wrong, to be continued after the column's name: "is damaged: …".
    package var description: String {
        switch self {
        case .malformed(let format): "is damaged: it is not a whole \(format.words)"
        case .otherFormat(.rails):
            "has the form of a \(SealFormat.rails.words), which this encryption.mode does not open (so has a token with quotes or braces)"
        case .otherFormat(let format): "is a \(format.words), which this encryption.mode does not open"
        case .tooLong: "is longer than any value that is sealed here"
        case .unsupported(let feature): "is sealed with \(feature.words), which is not read here"
        case .unnamedKey: "does not name the key that it is sealed with"
        case .unknownKey(let id): "is sealed with the key \(id), which is not configured"
        case .notAuthentic: "opens with none of the keys: it was changed, or sealed with a key that is not configured"
        case .unbound: "is not bound to its place: it lacks env, col or row"
        case .otherPlace(let part): "was sealed for another \(part.rawValue)"
        case .notText: "is sealed, but holds no text"
        }
    }
}

extension SealFormat {
    fileprivate var words: String {
        switch self {
        case .jwe: "compact JWE"
        case .rails: "message of Active Record Encryption"
        }
    }
}

extension SealFault.Feature {
    fileprivate var words: String {
        switch self {
        case .algorithm: "something else than dir and A256GCM"
        case .compression: "compression (zip)"
        case .extensions: "critical extensions (crit)"
        case .envelope: "envelope encryption (k)"
        case .encoding: "an encoding that is not UTF-8"
        }
    }
}

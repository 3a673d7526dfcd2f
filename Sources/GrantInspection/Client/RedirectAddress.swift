// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import FoundationEssentials

/// The address to which TastyTrade sends people back, in its parts.
struct RedirectAddress {
    /// In what two addresses can differ.
    enum Part: String, CaseIterable {
        case scheme = "http or https"
        case host
        case port
        case slash = "the slash at the end"
        case path
        case query
        case letters = "capital and small letters"
    }

    /// `http` or `https`.
    let scheme: String
    /// The host.
    let host: KnownHost
    /// The path as it is written: empty, or beginning with a slash.
    let path: String
    /// Whether there is a fragment.
    let hasFragment: Bool
    private let port: Int?
    private let query: String?

    /// Takes an address apart; nil if it is no whole one.
    init?(_ text: String) {
        guard let components = URLComponents(string: text), let scheme = components.scheme?.lowercased(),
            scheme == "http" || scheme == "https", let host = KnownHost(ofAddress: text)
        else { return nil }
        self.scheme = scheme
        self.host = host
        path = components.percentEncodedPath
        hasFragment = components.percentEncodedFragment != nil
        port = components.port
        query = components.percentEncodedQuery
    }

    /// In what it differs from another, the most important first; what is left if nothing else is found is how letters
    /// are written.
    func differences(from other: RedirectAddress) -> [Part] {
        let differing = Part.allCases.filter { part in
            switch part {
            case .scheme: scheme != other.scheme
            case .host: host != other.host
            case .port: port != other.port
            case .slash: path != other.path && withoutSlash == other.withoutSlash
            case .path: withoutSlash != other.withoutSlash
            case .query: query != other.query
            case .letters: false
            }
        }
        return differing.isEmpty ? [.letters] : differing
    }

    private var withoutSlash: Substring { path.hasSuffix("/") ? path.dropLast() : path[...] }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import FoundationEssentials

/// The address to which TastyTrade sends people back, in its parts.
struct RedirectAddress {
    /// `http` or `https`.
    let scheme: String
    /// The host.
    let host: KnownHost
    /// The path as it is written: empty, or beginning with a slash.
    let path: String
    /// Whether there is a fragment.
    let hasFragment: Bool

    /// Takes an address apart; nil if it is no whole one.
    init?(_ text: String) {
        guard let components = URLComponents(string: text), let scheme = components.scheme?.lowercased(),
            scheme == "http" || scheme == "https", let host = KnownHost(ofAddress: text)
        else { return nil }
        self.scheme = scheme
        self.host = host
        path = components.percentEncodedPath
        hasFragment = components.percentEncodedFragment != nil
    }
}

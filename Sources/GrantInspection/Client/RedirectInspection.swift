// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// What can be known of a redirect URI. TastyTrade takes one that is, to the letter, one of those that were registered for
/// the application (fact sheet section 2). Which those are it alone knows, so what is usual in one that is none of them is said.
package struct RedirectInspection: Sendable {
    private let text: String

    /// Looks at an address.
    ///
    /// - Parameter text: the address as it is written.
    package init(of text: String) {
        self.text = text
    }

    /// All that there is to say.
    package var findings: [Finding] {
        if let flaw = TextFlaw(in: text) {
            return [noAddress("The redirect URI \(flaw.words).")]
        }
        guard let address = RedirectAddress(text) else {
            return [noAddress("The redirect URI is no whole address.")]
        }
        return [fragment(address), inClear(address), path(address), slash(address), loopback(address)].compactMap { $0 }
    }

    private func noAddress(_ problem: String) -> Finding {
        Finding(
            .redirectNoAddress,
            problem,
            remedy: "Write it with https://, host and path, as it is registered for the application."
        )
    }

    private func fragment(_ address: RedirectAddress) -> Finding? {
        guard address.hasFragment else { return nil }
        return Finding(
            .redirectHasFragment,
            "The redirect URI has a fragment (from # on), which it must not have (RFC 6749, section 3.1.2).",
            remedy: "Leave out # and what follows, here and where it is registered."
        )
    }

    private func inClear(_ address: RedirectAddress) -> Finding? {
        guard address.scheme == "http", !address.host.isLoopback else { return nil }
        return Finding(
            .redirectInClear,
            "The redirect URI is http:// on another machine: the authorization code travels where others can read it.",
            remedy: "Use https://, and register the address so."
        )
    }

    private func path(_ address: RedirectAddress) -> Finding? {
        guard address.path.isEmpty || address.path == "/" else { return nil }
        return Finding(
            .redirectWithoutPath,
            "The redirect URI has no path, so that people come back to the first page of the host.",
            remedy: "Write the whole address: the daemon's own ends in /tastytrade/oauth/callback."
        )
    }

    private func slash(_ address: RedirectAddress) -> Finding? {
        guard address.path.count > 1, address.path.hasSuffix("/") else { return nil }
        return Finding(
            .redirectEndsWithSlash,
            "The redirect URI ends with a slash. With and without are two addresses.",
            remedy: "See that it is registered with the slash, or leave it out."
        )
    }

    private func loopback(_ address: RedirectAddress) -> Finding? {
        guard address.host.isLoopback else { return nil }
        return Finding(
            .redirectLoopback,
            "The redirect URI is on this machine, as \(Quotation(hiding: []).word(address.host.name)). "
                + "localhost, 127.0.0.1 and [::1] are three addresses to TastyTrade, "
                + "and to the browser, which must have begun at the same one.",
            remedy: "Use the one that is registered, and open the pages under it too. "
                + "The browser has to run on this machine, or reach it through a tunnel."
        )
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import SocketAPI

/// Connecting an account from a terminal: what is shown, and what is pasted.
struct TerminalFlow {
    /// How often somebody may paste something else.
    private static let tries = 3

    private let start: AuthorizationReply
    private let link: String?

    /// Takes what the daemon gave.
    ///
    /// - Parameters:
    ///   - start: the authorization that ends here.
    ///   - link: a link to the daemon's pages, where one begins that ends there; nil where there are none.
    /// - Throws: that the addresses are none that a terminal may be given.
    init(_ start: AuthorizationReply, link: String?) throws(Failure) {
        guard Self.isAddress(start.authorizationURL) else { throw HTTPReply.garbled }
        (self.start, self.link) = (start, link)
    }

    /// Whether a text is an address that moves no cursor.
    static func isAddress(_ text: String) -> Bool {
        text.hasPrefix("http") && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }

    /// What is shown before anything is asked.
    func invitation(for user: String) -> String {
        let aim = "To connect the account of user \(user), open this in a browser"
        let way =
            link.map { link in
                """
                \(aim) on this host. It is good once, for ten minutes:

                  \(link)

                Where no browser reaches that address, over ssh say, open this one instead, and allow access:
                """
            } ?? "\(aim), and allow access:"
        return """
            \(way)

              \(start.authorizationURL)

            The browser comes back to an address that begins like the redirect URI, whether a page is shown there or not. Copy that whole
            address, and paste it here. Open only what you began yourself, and give the address to nobody.

            """
    }

    /// Waits for the address.
    ///
    /// - Returns: the address; nil if somebody pressed Enter alone, since the browser said that it is done.
    /// - Throws: that nothing of use was pasted, or that somebody pressed Ctrl-C.
    func read() throws(Failure) -> RedirectedAddress? {
        var left = Self.tries
        while true {
            left -= 1
            let prompt = link == nil ? "address" : "address, or Enter when the page says that the account is connected"
            let text = try SecretEntry.readIfAny(prompt)
            if text.isEmpty, link != nil { return nil }
            do throws(Failure) {
                let address = try RedirectedAddress(text)
                guard address.state == start.state else {
                    throw Failure(.usage, "that address is of another attempt. Paste the one to which this link led.")
                }
                return address
            } catch {
                guard left > 0 else { throw error }
                Console.warn(error.text)
            }
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// Where the pages are: as browsers see it, and where the daemon listens.
package struct WebConfiguration: Hashable, Sendable {
    /// `web.publicUrl`.
    package let publicURL: WebOrigin
    /// The host of `web.listen`, as a numeric address. That it is a loopback one is the composition root's to see to.
    package let host: String
    /// The port of `web.listen`; 0 takes any.
    package let port: Int

    /// Puts together what the configuration says.
    package init(publicURL: WebOrigin, host: String, port: Int) {
        self.publicURL = publicURL
        self.host = host
        self.port = port
    }
}

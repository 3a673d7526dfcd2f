// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import SocketServer
package import WebPages

extension Configuration {
    /// Where callers come in.
    package struct Socket: Hashable, Sendable {
        /// The socket of the API.
        package let path: String
        /// Its permission bits.
        package let mode: UInt16
        /// The number of its group; nil: the daemon's.
        package let group: UInt32?
        /// The socket that hands tokens to units as credentials; nil: none.
        package let credentialsPath: String?
    }

    /// The web pages.
    package struct Web: Hashable, Sendable {
        /// Whether there are any.
        package let isEnabled: Bool
        /// Where they are served.
        package let listen: ListenAddress
        /// How browsers reach them.
        package let publicURL: WebOrigin
    }
}

extension Configuration.Socket {
    /// Reads `socket.*`.
    init(reading reader: inout SettingReader) {
        path = reader.value("socket.path", .socketPath)
        mode = reader.value("socket.mode", .fileMode)
        group = reader.optional("socket.group", .group(reader.names))
        credentialsPath = reader.optional("socket.credentialsPath", .socketPath)
        reader.require(
            credentialsPath != path,
            ["socket.credentialsPath", "socket.path"],
            "socket.credentialsPath is the same as socket.path",
            "give each its own"
        )
    }
}

extension Configuration.Web {
    /// Reads `web.*`.
    init(reading reader: inout SettingReader) {
        isEnabled = reader.value("web.enabled", .flag)
        listen = reader.value("web.listen", .listenAddress)
        publicURL = reader.value("web.publicUrl", .pageOrigin)
        let allowRemote = reader.value("web.allowRemote", .flag)
        reader.require(
            allowRemote || listen.isLoopback,
            ["web.listen", "web.allowRemote"],
            "web.listen is not on loopback",
            "listen at 127.0.0.1 or [::1], or set web.allowRemote to true"
        )
        remarkOnClearText(&reader)
    }

    /// Browsers on other hosts cannot come by such an origin, but whoever comes by itself can, and what travels can be read.
    private func remarkOnClearText(_ reader: inout SettingReader) {
        guard isEnabled, !listen.isLoopback, !publicURL.isSecure else { return }
        reader.warn(
            "web.listen",
            at: reader.place(of: "web.listen"),
            "other hosts reach it, and what they send and read there is in clear",
            "put a proxy with TLS before it and write its https:// address as web.publicUrl"
        )
    }
}

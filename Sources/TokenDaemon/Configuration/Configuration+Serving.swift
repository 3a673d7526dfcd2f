// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import SocketServer

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
        /// How browsers reach them, without a slash at its end.
        package let publicURL: String
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
        publicURL = reader.value("web.publicUrl", .webAddress).text
        let allowRemote = reader.value("web.allowRemote", .flag)
        reader.require(
            allowRemote || LoopbackAddress.isLoopback(listen.host),
            ["web.listen", "web.allowRemote"],
            "web.listen is not on loopback",
            "listen at 127.0.0.1 or [::1], or set web.allowRemote to true"
        )
    }
}

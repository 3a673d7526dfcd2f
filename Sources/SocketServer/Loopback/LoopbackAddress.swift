// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Glibc

/// An address of this machine alone, and a port: where the metrics are served over TCP.
package struct LoopbackAddress: Hashable, Sendable, CustomStringConvertible {
    /// `127.0.0.1`, another address of 127.0.0.0/8, or `::1`.
    package let host: String
    /// The port; 0 leaves the choice to the kernel.
    package let port: Int

    /// Takes a host, an IPv6 address without its brackets, and a port of at most 65535; nil unless the host is loopback.
    /// `localhost` is 127.0.0.1, whatever a name service says.
    package init?(host: String, port: Int) {
        guard Self.isLoopback(host), (0...65535).contains(port) else { return nil }
        self.host = host == "localhost" ? "127.0.0.1" : host
        self.port = port
    }

    /// The host, as a URL has it, and the port.
    package var description: String { "\(bracketed):\(port)" }

    /// What a Host field may say, in lower case. A page of another site that has its own name lead here (DNS rebinding)
    /// has a browser send that name.
    var names: Set<String> {
        let hosts = [bracketed, "localhost"]
        return Set(hosts.map { "\($0):\(port)" } + (port == 80 ? hosts : []))
    }

    private var bracketed: String { host.contains(":") ? "[\(host)]" : host }

    /// Whether a host is `localhost`, in 127.0.0.0/8 or `::1`: this machine, whatever a name service says.
    package static func isLoopback(_ host: String) -> Bool {
        if host == "localhost" || host == "::1" { return true }
        var address = in_addr()
        return inet_pton(AF_INET, host, &address) == 1 && UInt32(bigEndian: address.s_addr) >> 24 == 127
    }
}

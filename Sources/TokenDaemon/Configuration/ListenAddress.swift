// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Glibc
import SocketServer
import WebPages

/// An address to listen at, and a port: where the web pages are served.
package struct ListenAddress: Hashable, Sendable, CustomStringConvertible {
    /// A literal address, IPv6 without its brackets: no name service is asked, so that none can lead elsewhere.
    package let host: String
    /// The port.
    package let port: Int

    /// Takes a literal address, IPv6 without its brackets, or `localhost`, which is 127.0.0.1; nil for any other name.
    init?(host: String, port: Int) {
        guard host != "localhost" else {
            self.host = "127.0.0.1"
            self.port = port
            return
        }
        var (four, six) = (in_addr(), in6_addr())
        guard inet_pton(AF_INET, host, &four) == 1 || inet_pton(AF_INET6, host, &six) == 1 else { return nil }
        self.host = host
        self.port = port
    }

    /// Whether only this machine reaches it.
    var isLoopback: Bool { LoopbackAddress.isLoopback(host) }

    /// The host, as a URL has it, and the port.
    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

extension SettingForm where Value == ListenAddress {
    /// A literal address, or `localhost`, and a port to listen at.
    static var listenAddress: Self {
        SettingForm { text throws(SettingComplaint) in
            guard let (host, port) = WebAddress.hostAndPort(text[...]), let port,
                let address = ListenAddress(host: host, port: port)
            else {
                throw SettingComplaint("is not an address to listen at", "write it as in 127.0.0.1:3000")
            }
            return address
        }
    }
}

extension SettingForm where Value == WebOrigin {
    /// Where browsers find the pages. Over a network they come by TLS alone: they would send a session's cookie in clear.
    static var pageOrigin: Self {
        SettingForm { text throws(SettingComplaint) in
            let origin: WebOrigin
            do throws(WebOriginFlaw) {
                origin = try WebOrigin(text)
            } catch {
                throw SettingComplaint("is not an address for the pages", "it \(error)")
            }
            guard origin.isSecure || LoopbackAddress.isLoopback(origin.host) else {
                throw SettingComplaint(
                    "would send sessions in clear",
                    "write https://, with a TLS proxy before web.listen"
                )
            }
            return origin
        }
    }
}

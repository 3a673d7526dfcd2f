// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Glibc
import SocketServer

/// The address of a server as far as the configuration needs to judge it: nothing in it that could hide where calls go.
struct WebAddress: Hashable {
    /// `http` or `https`.
    let scheme: String
    /// The host in lower case, without the brackets of an IPv6 address.
    let host: String
    /// The port, where one is written.
    let port: Int?
    /// The address as other paths follow it: without a slash at its end.
    let text: String
    /// The address to the letter.
    let written: String

    /// Takes an address apart: scheme, host, perhaps a port and a path. A user, a query or a fragment has no place in
    /// it.
    init(_ text: String) throws(SettingComplaint) {
        let complaint = SettingComplaint("is not an address", "write it as in https://host or https://host:8443/path")
        guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }),
            !text.contains(where: { "@?#\\\"<>^`{|}".contains($0) })
        else { throw complaint }
        guard let colon = text.firstRange(of: "://") else { throw complaint }
        self.scheme = text[..<colon.lowerBound].lowercased()
        guard scheme == "https" || scheme == "http" else { throw complaint }
        let authority = text[colon.upperBound...].prefix { $0 != "/" }
        guard let (host, port) = Self.hostAndPort(authority) else { throw complaint }
        self.host = host
        self.port = port
        self.written = text
        self.text = String(text.reversed().drop { $0 == "/" }.reversed())
    }

    /// Splits `host`, `host:port` or `[IPv6]:port`.
    static func hostAndPort(_ text: Substring, ports: ClosedRange<Int> = 1...65535) -> (host: String, port: Int?)? {
        let isBracketed = text.first == "["
        guard
            let end = isBracketed
                ? text.firstIndex(of: "]").map(text.index(after:)) : text.firstIndex(of: ":") ?? text.endIndex
        else { return nil }
        let name = isBracketed ? text[..<end].dropFirst().dropLast() : text[..<end]
        guard isBracketed ? isIPv6(String(name)) : isName(name) else { return nil }
        let rest = text[end...]
        if rest.isEmpty { return (name.lowercased(), nil) }
        guard rest.first == ":", rest.dropFirst().utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let port = Int(rest.dropFirst()), ports.contains(port)
        else { return nil }
        return (name.lowercased(), port)
    }

    /// Whether the host is this machine, whatever a name server says.
    var isLoopback: Bool { LoopbackAddress.isLoopback(host) }

    private static func isIPv6(_ text: String) -> Bool {
        var address = in6_addr()
        return inet_pton(AF_INET6, text, &address) == 1
    }

    private static func isName(_ text: Substring) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return parts.allSatisfy { part in
            !part.isEmpty && part.first != "-" && part.last != "-"
                && part.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") }
        }
    }
}

extension SettingForm where Value == WebAddress {
    /// An address of a server that is called over TLS; this machine may be called without.
    static var secureAddress: Self {
        SettingForm { text throws(SettingComplaint) in
            let address = try WebAddress(text)
            guard address.scheme == "https" || address.isLoopback else {
                throw SettingComplaint("would send secrets in clear", "write https://")
            }
            return address
        }
    }
}

extension SettingForm where Value == LoopbackAddress {
    /// A port to listen at on this machine alone, by a literal address or `localhost`: no name service is asked, so that
    /// none can lead elsewhere. Port 0 leaves the choice to the system.
    static var loopbackAddress: Self {
        SettingForm { text throws(SettingComplaint) in
            guard let (host, port) = WebAddress.hostAndPort(text[...], ports: 0...65535), let port else {
                throw SettingComplaint("is not an address to listen at", "write it as in 127.0.0.1:9464")
            }
            guard let address = LoopbackAddress(host: host, port: port) else {
                throw SettingComplaint("is not on loopback", "listen at 127.0.0.1 or [::1]")
            }
            return address
        }
    }
}

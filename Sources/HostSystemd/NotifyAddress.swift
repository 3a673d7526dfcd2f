// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Glibc

/// Where the service manager listens for our messages: `NOTIFY_SOCKET` in the form of sd_notify(3).
package struct NotifyAddress: Hashable, Sendable {
    /// The bytes of `sun_path`; an abstract address begins with a zero byte.
    private let path: [UInt8]

    /// Reads a path (`/run/…`) or an abstract name (`@…`).
    ///
    /// - Throws: what is wrong with it, in words. `vsock:` addresses, which only virtual machines are given, are refused.
    package init(_ text: String) throws(HostFailure) {
        guard let first = text.utf8.first, first == UInt8(ascii: "/") || first == UInt8(ascii: "@") else {
            throw HostFailure("NOTIFY_SOCKET is neither a path nor an abstract name that begins with @")
        }
        var bytes = Array(text.utf8)
        if first == UInt8(ascii: "@") { bytes[0] = 0 }
        // A path needs room for the zero byte at its end; an abstract name ends where the address ends.
        let room = MemoryLayout.size(ofValue: sockaddr_un().sun_path) - (first == UInt8(ascii: "/") ? 1 : 0)
        guard bytes.count > 1, bytes.count <= room else {
            throw HostFailure("NOTIFY_SOCKET is too short or too long for a Unix socket's address")
        }
        self.path = bytes
    }

    /// Calls `body` with the address as the socket calls want it.
    func withSocketAddress<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
        let offset = MemoryLayout<sockaddr_un>.offset(of: \.sun_path) ?? MemoryLayout<sa_family_t>.size
        // One more for a path's zero byte; in an abstract name it would be part of the name.
        let length = socklen_t(offset + path.count + (path.first == 0 ? 0 : 1))
        return withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, length) }
        }
    }
}

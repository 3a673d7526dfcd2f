// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Glibc
import NIOCore

/// Keeps a port for as long as it lives: a socket that is bound to it and does not listen, so that connections are refused
/// and nobody else is given the port.
final class PortKeeper: Sendable {
    private let descriptor: CInt

    /// Keeps the port of an address. Where that fails the port is merely free for a while.
    init(_ address: SocketAddress?) {
        guard let address else {
            descriptor = -1
            return
        }
        let descriptor = socket(CInt(address.protocol.rawValue), CInt(SOCK_STREAM.rawValue), 0)
        // So that the listener can be bound beside it afterwards.
        var yes: CInt = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<CInt>.size))
        _ = address.withSockAddr { address, size in bind(descriptor, address, socklen_t(size)) }
        self.descriptor = descriptor
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Glibc
import NIOCore

/// `struct ucred` of unix(7), which Glibc's module does not show to Swift.
private struct KernelCredentials: Sendable {
    var process: pid_t
    var user: uid_t
    var group: gid_t
}

extension Channel {
    /// Who connected; fails where the channel is no connected Unix socket. On the channel's own loop the future is
    /// complete when this returns.
    func peer() -> EventLoopFuture<Caller> {
        guard let options = self as? any SocketOptionProvider else {
            return eventLoop.makeFailedFuture(ChannelError.operationUnsupported)
        }
        let credentials: EventLoopFuture<KernelCredentials> = options.unsafeGetSocketOption(
            level: .socket,
            name: NIOBSDSocket.Option(rawValue: SO_PEERCRED)
        )
        return credentials.map { Caller(process: $0.process, user: $0.user, group: $0.group) }
    }
}

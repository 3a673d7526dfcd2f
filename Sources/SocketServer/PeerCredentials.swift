// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Glibc

/// `struct ucred` of unix(7), which Glibc's module does not show to Swift.
private struct KernelCredentials {
    var process: pid_t = 0
    var user: uid_t = 0
    var group: gid_t = 0
}

extension Caller {
    /// Who connected; nil where the descriptor is no connected Unix socket.
    init?(atOtherEndOf descriptor: Int32) {
        var credentials = KernelCredentials()
        var length = socklen_t(MemoryLayout<KernelCredentials>.size)
        guard getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &length) == 0,
            length == MemoryLayout<KernelCredentials>.size
        else { return nil }
        self.init(process: credentials.process, user: credentials.user, group: credentials.group)
    }
}

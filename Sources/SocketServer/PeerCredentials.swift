// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import CLinux
import Glibc
import TokenCore

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
        guard let groups = Self.supplementaryGroups(atOtherEndOf: descriptor) else { return nil }
        self.init(
            process: credentials.process,
            user: credentials.user,
            group: credentials.group,
            supplementaryGroups: groups
        )
    }

    /// Groups that are asked for at once; hardly anybody has more.
    private static let usualGroups = 64

    /// The groups at their true number, which the kernel tells where there is no room for them (socket(7),
    /// `SO_PEERGROUPS`). They were fixed when the connection was made, so the second answer is the first one's whole.
    private static func supplementaryGroups(atOtherEndOf descriptor: Int32) -> [UInt32]? {
        var length = socklen_t(usualGroups * MemoryLayout<gid_t>.size)
        if let groups = supplementaryGroups(atOtherEndOf: descriptor, &length) { return groups }
        return errno == ERANGE ? supplementaryGroups(atOtherEndOf: descriptor, &length) : nil
    }

    private static func supplementaryGroups(atOtherEndOf descriptor: Int32, _ length: inout socklen_t) -> [UInt32]? {
        var groups = [gid_t](repeating: 0, count: Int(length) / MemoryLayout<gid_t>.size)
        guard getsockopt(descriptor, SOL_SOCKET, SO_PEERGROUPS, &groups, &length) == 0 else { return nil }
        return Array(groups.prefix(Int(length) / MemoryLayout<gid_t>.size))
    }
}

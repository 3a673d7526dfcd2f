// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Glibc

/// How the names of users and groups are looked up; tests hand in their own.
package struct NameDirectory: Sendable {
    /// The number of the user of that name; nil if there is none, or it cannot be found out.
    package let user: @Sendable (_ name: String) -> UInt32?
    /// The number of the group of that name; nil if there is none, or it cannot be found out.
    package let group: @Sendable (_ name: String) -> UInt32?

    /// Takes ways to look names up.
    package init(
        user: @escaping @Sendable (_ name: String) -> UInt32?,
        group: @escaping @Sendable (_ name: String) -> UInt32?
    ) {
        self.user = user
        self.group = group
    }

    /// Asks what the host asks (nsswitch.conf(5)).
    package static let system = NameDirectory(
        user: { name in
            var (entry, found) = (passwd(), UnsafeMutablePointer<passwd>?.none)
            return withRoom { getpwnam_r(name, &entry, $0, $1, &found) } && found != nil ? entry.pw_uid : nil
        },
        group: { name in
            var (entry, found) = (Glibc.group(), UnsafeMutablePointer<Glibc.group>?.none)
            return withRoom { getgrnam_r(name, &entry, $0, $1, &found) } && found != nil ? entry.gr_gid : nil
        }
    )

    /// A group has room for all its members in its entry; larger ones than this are not to be expected.
    private static let largestRoom = 1 << 20

    /// Gives more and more room until the entry fits; whether the look-up went well.
    private static func withRoom(_ look: (UnsafeMutablePointer<CChar>, Int) -> Int32) -> Bool {
        var size = 1024
        while size <= largestRoom {
            let status = withUnsafeTemporaryAllocation(of: CChar.self, capacity: size) { room in
                room.baseAddress.map { look($0, room.count) } ?? ENOMEM
            }
            guard status == ERANGE else { return status == 0 }
            size *= 4
        }
        return false
    }
}

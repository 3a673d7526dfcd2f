// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Glibc

/// The name of this machine, for people to tell daemons apart by (gethostname(2)); nothing is resolved.
enum HostName {
    /// The name; empty if the system has none to give.
    static var current: String {
        // HOST_NAME_MAX, and a zero byte.
        var bytes = [CChar](repeating: 0, count: 65)
        guard gethostname(&bytes, bytes.count) == 0 else { return "" }
        return String(decoding: bytes.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}

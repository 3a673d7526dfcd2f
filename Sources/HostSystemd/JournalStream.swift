// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Glibc

/// Tells whether the standard error already goes to the journal, which is how a program sees that a service manager
/// started it for real (`JOURNAL_STREAM`, systemd.exec(5)).
package enum JournalStream {
    /// Whether `descriptor` is the very stream that `JOURNAL_STREAM` names by device and inode. The variable alone says
    /// nothing: a program that the service started with its output elsewhere inherits it too.
    package static func isConnected(to descriptor: Int32, environment: [String: String]) -> Bool {
        guard let text = environment["JOURNAL_STREAM"] else { return false }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let device = UInt64(parts[0]), let inode = UInt64(parts[1]) else { return false }
        var status = stat()
        return fstat(descriptor, &status) == 0 && status.st_dev == device && status.st_ino == inode
    }
}

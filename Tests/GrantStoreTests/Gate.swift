// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Dispatch
import Glibc
import TestSupport

/// Holds a queue's thread until it is opened.
struct Gate: Sendable {
    private let semaphore = DispatchSemaphore(value: 0)

    func wait() { semaphore.wait() }
    func open() { semaphore.signal() }
}

/// A socket in the place where PostgreSQL's would be, which takes connections and never says a word.
final class SilentListener: Sendable {
    let folder: String
    private let descriptor: CInt

    init() throws {
        self.folder = try makeTemporaryFolder(for: "silent")
        self.descriptor = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        let result = withUnixAddress("\(folder)/.s.PGSQL.5432") { bind(descriptor, $0, $1) }
        guard result == 0, listen(descriptor, 8) == 0 else { throw SocketError(code: errno) }
    }

    deinit {
        close(descriptor)
        unlink("\(folder)/.s.PGSQL.5432")
        rmdir(folder)
    }

    struct SocketError: Error {
        let code: CInt
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Glibc
import SocketAPI

extension Failure {
    /// What it means that a connection ended in the middle.
    static func broken(at path: String) -> Failure {
        Failure(.tryLater, "the daemon at \(path) hung up before its reply was whole; try again")
    }

    /// What it means that nothing came.
    static func silent(at path: String) -> Failure {
        Failure(.tryLater, "the daemon at \(path) did not answer in time; see systemctl status tastytokend")
    }

    /// What it means that no connection could be made, in the case of that `errno`.
    static func unreachable(_ path: String, _ error: Int32) -> Failure {
        switch error {
        case ENOENT: absent(path)
        // The kernel says so of a socket that nobody listens at, and of whatever is no socket.
        case ECONNREFUSED where !isSocket(path):
            Failure(.noDaemon, "\(path) is no socket; give the daemon's with --socket or SOCKET_PATH")
        case ECONNREFUSED:
            Failure(
                .noDaemon,
                "no daemon listens at \(path) any more; start it: systemctl start tastytokend",
                isPassing: true
            )
        case EACCES, EPERM: closed(path)
        case EAGAIN, EINPROGRESS, EINTR: Failure(.tryLater, "the daemon at \(path) is too busy to answer; try again")
        case EPROTOTYPE:
            Failure(.noDaemon, "\(path) is another kind of socket; give the daemon's with --socket or SOCKET_PATH")
        default: Failure(.noDaemon, "cannot connect to \(path): \(String(cString: strerror(error)))")
        }
    }

    private static func absent(_ path: String) -> Failure {
        Failure(
            .noDaemon,
            "no daemon listens at \(path), there is no such file; start it (systemctl start tastytokend), "
                + "or give its socket with --socket or SOCKET_PATH",
            isPassing: true
        )
    }

    private static func closed(_ path: String) -> Failure {
        Failure(
            .notAllowed,
            "user id \(geteuid()) may not open \(path); its file mode or a folder's keeps it out: join the group "
                + "that socket.group names, or have socket.mode changed"
        )
    }

    private static func isSocket(_ path: String) -> Bool {
        var entry = stat()
        return stat(path, &entry) == 0 && entry.st_mode & S_IFMT == S_IFSOCK
    }
}

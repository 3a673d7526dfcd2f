// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Glibc
import Logging

/// Sees to it that callers find the socket at its path for as long as the daemon runs.
///
/// A file that is removed or replaced leaves the daemon listening where nobody can connect any more. One that the daemon
/// made is then made anew, under the same conditions as at the start: what answers at the path is left alone. One that
/// was passed is the service manager's, so that this is only said.
struct SocketKeeper {
    private let place: SocketPlace
    private let backlog: Int32
    private let logger: Logger
    private var file: SocketFile?
    /// What was said last, so that each turn of things is said once.
    private var said: String?

    /// Keeps what was opened at the place.
    init(_ place: SocketPlace, _ socket: ListeningSocket, backlog: Int32, logger: Logger) {
        self.place = place
        self.backlog = backlog
        self.logger = logger
        switch place {
        case .path: file = socket.file
        // Where the path cannot be seen from here, there is nothing to compare with later.
        case .inherited(let descriptor): file = UnixAddress.path(of: descriptor).flatMap { try? SocketFile(at: $0) }
        }
    }

    /// Looks whether the file is the one that was made.
    ///
    /// - Returns: a descriptor that listens in place of the old one, if the file had to be made anew.
    mutating func look() -> Int32? {
        guard let lost = file, !lost.isInPlace else {
            said = nil
            return nil
        }
        guard case .path(let path, let mode, let group) = place else {
            say(
                "socket is not at its path any more; it is the service manager's: restart it and the service",
                lost.path
            )
            return nil
        }
        do throws(SocketServerError) {
            let socket = try ListeningSocket.open(.path(path, mode: mode, group: group), backlog: backlog)
            file = socket.file
            said = nil
            logger.warning("socket was removed or replaced, and was made anew", metadata: ["socket.path": "\(path)"])
            return socket.descriptor
        } catch {
            say("socket was removed or replaced, and cannot be made anew", path, "\(error)")
            return nil
        }
    }

    /// Removes a file that was made here.
    func end() {
        if case .path = place { file?.remove() }
    }

    private mutating func say(_ message: Logger.Message, _ path: String, _ reason: String? = nil) {
        let words = reason ?? "\(message)"
        guard words != said else { return }
        said = words
        var metadata: Logger.Metadata = ["socket.path": "\(path)"]
        if let reason { metadata["error.message"] = "\(reason)" }
        logger.error(message, metadata: metadata)
    }
}

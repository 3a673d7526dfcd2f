// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import ArgumentParser
import Glibc

/// Where words go. Nothing here ends the process: what a full disk or a closed stream does not take is no reason to leave with
/// another status than the one that the work has.
enum StandardStream {
    /// Writes a result; says so on the other stream if that was not possible.
    ///
    /// - Throws: status 71 if not all of it could be written.
    static func output(_ text: String) throws {
        guard !write(text, to: STDOUT_FILENO) else { return }
        let reason = String(cString: strerror(errno))
        complain("tastytokend: what was done could not be told on standard output: \(reason)\n")
        throw ExitCode(71)
    }

    /// Writes what is wrong, or how far something is, as far as anybody takes it.
    static func complain(_ text: String) {
        _ = write(text, to: STDERR_FILENO)
    }

    private static func write(_ text: String, to stream: CInt) -> Bool {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(stream, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import ArgumentParser
import Glibc
import SocketAPI

/// Standard output and standard error.
enum Console {
    /// Whether colours may be used: on a terminal, unless `NO_COLOR` (no-color.org) says otherwise.
    static var isColourful: Bool {
        isatty(STDOUT_FILENO) == 1 && getenv("NO_COLOR") == nil
    }

    /// Runs a command and turns its failure into a line on standard error and the process's status.
    static func carryingOut(_ command: () throws(Failure) -> Void) throws {
        let end = end(of: command)
        guard end == .done else { throw ExitCode(end.rawValue) }
    }

    /// Runs a command and tells how it ends the process; a failure is a line on standard error.
    static func end(of command: () throws(Failure) -> Void) -> ToolExit {
        do throws(Failure) {
            try command()
            return .done
        } catch {
            warn(error.text)
            return error.exit
        }
    }

    /// Writes a line to standard output. Where nobody reads it any more, the process ends as others in a pipe do.
    static func print(_ line: String) {
        write(line + "\n", to: STDOUT_FILENO)
    }

    /// Writes a line to standard error, under the tool's name.
    static func warn(_ line: String) {
        write("tastytoken: \(line)\n", to: STDERR_FILENO)
    }

    private static func write(_ text: String, to descriptor: Int32) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { break }
            rest = rest.dropFirst(written)
        }
        // A token cut short must not look like one: the caller sees it by the status (sysexits.h, EX_IOERR).
        if !rest.isEmpty, descriptor == STDOUT_FILENO { exit(EX_IOERR) }
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import ArgumentParser
import Glibc
import SocketAPI

/// Standard output and standard error.
enum Console {
    /// Whether standard output is a terminal that can do more than print (`TERM=dumb` cannot).
    static var isTerminal: Bool {
        isatty(STDOUT_FILENO) == 1 && variable("TERM").map { $0 != "dumb" } ?? true
    }

    /// Whether colours may be used: on such a terminal, unless `NO_COLOR` (no-color.org) says otherwise.
    static var isColourful: Bool {
        isTerminal && variable("NO_COLOR") == nil
    }

    /// An environment variable; nil if it is not set, or empty.
    static func variable(_ name: String) -> String? {
        guard let value = getenv(name), value.pointee != 0 else { return nil }
        return String(cString: value)
    }

    /// Runs a command and turns its failure into a line on standard error and the process's status.
    static func carryingOut<Value>(_ command: () throws(Failure) -> Value) throws -> Value {
        do throws(Failure) {
            return try command()
        } catch {
            warn(error.text)
            throw ExitCode(error.exit.rawValue)
        }
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
    static func print(_ line: String, terminator: String = "\n") {
        write(line + terminator, to: STDOUT_FILENO)
    }

    /// Writes a line to standard error, under the tool's name.
    static func warn(_ line: String) {
        write("tastytoken: \(line)\n", to: STDERR_FILENO)
    }

    /// Writes a question to standard error, without an end of line.
    static func ask(_ question: String) {
        write(question, to: STDERR_FILENO)
    }

    /// Waits as poll(2) does, and ends the process if nobody reads standard output any more: whoever waits for long would
    /// not learn of it before the next line.
    static func pollWhileRead(_ entry: inout pollfd, _ milliseconds: Int32) -> Int32 {
        var entries = [entry, pollfd(fd: STDOUT_FILENO, events: 0, revents: 0)]
        let ready = poll(&entries, 2, milliseconds)
        if ready > 0, entries[1].revents != 0 { endUnread() }
        entry = entries[0]
        return ready
    }

    /// Waits for so long, or ends the process as soon as nobody reads standard output any more.
    static func pause(milliseconds: Int) {
        let end = Deadline(afterMilliseconds: milliseconds)
        while !end.isOver {
            var nothing = pollfd(fd: -1, events: 0, revents: 0)
            _ = pollWhileRead(&nothing, end.millisecondsLeft)
        }
    }

    /// Ends as others in a pipe do.
    private static func endUnread() -> Never {
        raise(SIGPIPE)
        exit(EX_IOERR)
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

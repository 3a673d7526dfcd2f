// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import Synchronization

/// A program on a terminal of its own, which the test types at, resizes and looks at.
package final class ProgramOnTerminal: Sendable {
    private let child: ChildProcess
    private let master: CInt
    private let slave: CInt
    private let screen: Mutex<TerminalScreen>
    private let isOver = Mutex(false)

    /// Starts a program with the terminal as its standard streams and its controlling terminal.
    ///
    /// - Parameters:
    ///   - words: the path and the arguments.
    ///   - environment: what it has for an environment, as `NAME=value`.
    ///   - rows: how high the terminal is.
    ///   - columns: how wide it is.
    /// - Throws: if there is no terminal to be had, or the program cannot be started.
    package init(_ words: [String], environment: [String], rows: Int, columns: Int) throws {
        var (master, slave): (CInt, CInt) = (-1, -1)
        var size = Self.size(rows, columns)
        guard openpty(&master, &slave, nil, nil, &size) == 0 else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
        (self.master, self.slave) = (master, slave)
        for descriptor in [master, slave] { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        screen = Mutex(TerminalScreen(rows: rows, columns: columns))
        child = try ChildProcess(
            ["/usr/bin/setsid", "--ctty"] + words,
            environment: environment,
            streams: [slave, slave, slave]
        )
    }

    deinit {
        if !isOver.withLock({ $0 }) {
            kill(child.pid, SIGKILL)
            _ = child.wait()
        }
        close(master)
        close(slave)
    }

    /// Waits until the screen is as it should be.
    package func screen(
        _ what: String,
        _ isRight: @escaping @Sendable (TerminalScreen) -> Bool
    ) async throws -> TerminalScreen {
        try await Self.onThread { [self] in
            let deadline = ContinuousClock.now + .seconds(30)
            while true {
                let now = screen.withLock { $0 }
                if isRight(now) { return now }
                // A live table never falls silent: what comes too late has not come.
                guard ContinuousClock.now < deadline, let bytes = try next(), !bytes.isEmpty else {
                    throw TestSupportError(
                        "It did not come: \(what); the screen shows:\n\(now.lines.joined(separator: "\n"))"
                    )
                }
                screen.withLock { $0.take(bytes) }
            }
        }
    }

    package func type(_ text: String) {
        let bytes = Array(text.utf8)
        _ = write(master, bytes, bytes.count)
    }

    package func signal(_ number: CInt) {
        kill(child.pid, number)
    }

    /// Waits until it is stopped, as a shell does before it lets it go on.
    package func stopped() async throws {
        try await Self.onThread { [child] in
            var news = siginfo_t()
            waitid(P_PID, id_t(child.pid), &news, CInt(WSTOPPED | WEXITED | WNOWAIT))
        }
    }

    /// The window's new size; the screen begins anew.
    package func resize(rows: Int, columns: Int) {
        screen.withLock { $0 = TerminalScreen(rows: rows, columns: columns) }
        var size = Self.size(rows, columns)
        _ = ioctl(master, UInt(TIOCSWINSZ), &size)
    }

    /// Whether the terminal shows what is typed and gives it line by line, as it was in the beginning.
    package var isAsFound: Bool {
        var mode = termios()
        return tcgetattr(slave, &mode) == 0 && mode.c_lflag & tcflag_t(ECHO | ICANON) == tcflag_t(ECHO | ICANON)
    }

    /// Waits for its end: its exit status, or minus the signal that ended it.
    package func end() async throws -> CInt {
        // What does not end in half a minute is killed, so that a test of it fails and does not hang.
        let timeout = DispatchSource.makeTimerSource()
        timeout.setEventHandler { [child] in kill(child.pid, SIGKILL) }
        timeout.schedule(deadline: .now() + .seconds(30))
        timeout.activate()
        defer { timeout.cancel() }
        let status = try await Self.onThread { [child] in child.wait() }
        isOver.withLock { $0 = true }
        return status
    }

    /// Does what blocks on a thread of its own: the cooperative pool's must not block.
    private static func onThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value
    {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { continuation.resume(with: Result(catching: body)) }
        }
    }

    private func next() throws -> [UInt8]? {
        var entry = pollfd(fd: master, events: Int16(POLLIN), revents: 0)
        guard poll(&entry, 1, 30_000) > 0 else { return nil }
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = read(master, &buffer, buffer.count)
        return Array(buffer.prefix(max(count, 0)))
    }

    private static func size(_ rows: Int, _ columns: Int) -> winsize {
        winsize(ws_row: UInt16(rows), ws_col: UInt16(columns), ws_xpixel: 0, ws_ypixel: 0)
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Glibc
import SocketAPI

/// A secret from whoever calls: all of standard input, or what somebody types at the terminal, which is not shown. It never comes from the
/// command line, which every user of the host can read.
enum SecretEntry {
    /// More than any secret, with whatever was copied along with it.
    private static let mostBytes = 65_536

    /// Waits for a secret.
    ///
    /// - Parameter name: what is asked for, at a terminal.
    /// - Returns: the secret, without the end of its last line.
    /// - Throws: that there is none, or no end to it, or that somebody pressed Ctrl-C.
    static func read(_ name: String) throws(Failure) -> String {
        let text = try text(isatty(STDIN_FILENO) == 1 ? typed(name) : piped(), name)
        guard !text.isEmpty else {
            throw Failure(.usage, "there is no \(name); give it on standard input, or at the prompt.")
        }
        return text
    }

    /// Waits for a secret at the terminal, or for the Enter key alone.
    ///
    /// - Parameter name: what is asked for.
    /// - Returns: the secret, or nothing.
    /// - Throws: that it cannot be asked for, or that somebody pressed Ctrl-C.
    static func readIfAny(_ name: String) throws(Failure) -> String { try text(try typed(name), name) }

    private static func text(_ bytes: [UInt8], _ name: String) throws(Failure) -> String {
        var line = bytes[...]
        while line.last == UInt8(ascii: "\n") || line.last == UInt8(ascii: "\r") { line = line.dropLast() }
        guard let text = String(validating: line, as: UTF8.self) else {
            throw Failure(.usage, "the \(name) is no text in UTF-8.")
        }
        return text
    }

    private static func piped() throws(Failure) -> [UInt8] {
        var bytes: [UInt8] = []
        while let chunk = try chunk(of: STDIN_FILENO) {
            bytes += chunk
            guard bytes.count <= mostBytes else {
                throw Failure(.usage, "standard input has more than \(mostBytes) bytes; it takes the secret alone.")
            }
        }
        return bytes
    }

    /// What there is to be read; nil at the end.
    private static func chunk(of descriptor: Int32) throws(Failure) -> [UInt8]? {
        while true {
            var failure: Int32 = 0
            let chunk = [UInt8](unsafeUninitializedCapacity: 4096) { buffer, count in
                let length = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
                failure = length < 0 ? errno : 0
                count = max(length, 0)
            }
            if failure == EINTR { continue }
            guard failure == 0 else {
                throw Failure(.usage, "cannot read standard input: \(String(cString: strerror(failure))).")
            }
            return chunk.isEmpty ? nil : chunk
        }
    }

    /// Reads a line with the echo off, key by key: a terminal's own lines end at 4095 bytes (termios(3)), and what is pasted would be cut
    /// without a word. Signals wait in a queue meanwhile, so that the terminal is always given back as it was.
    private static func typed(_ name: String) throws(Failure) -> [UInt8] {
        // Held back from before the echo is off until it is on again.
        let signals = try SignalQueue([SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP])
        defer { signals.release() }
        var kept = termios()
        var isQuiet = tcgetattr(STDIN_FILENO, &kept) == 0
        var mode = kept
        mode.c_lflag &= ~tcflag_t(ECHO | ICANON)
        isQuiet = isQuiet && tcsetattr(STDIN_FILENO, TCSAFLUSH, &mode) == 0
        guard isQuiet else {
            throw Failure(.usage, "cannot switch the terminal's echo off; give the \(name) on standard input.")
        }
        Console.ask("\(name) (it is not shown): ")
        let outcome = line(signals)
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &kept)
        Console.ask("\n")
        switch outcome {
        case .success(let bytes): return bytes
        case .failure(let interruption):
            Ending.signal(interruption.signal).carryOut()
            throw Failure(.usage, "interrupted.")
        }
    }

    private struct Interruption: Error {
        let signal: Int32
    }

    /// The keys up to the end of a line, or to Ctrl-D.
    private static func line(_ signals: SignalQueue) -> Result<[UInt8], Interruption> {
        var line = TypedLine(mostBytes: mostBytes)
        while !line.isOver {
            var entries = [pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0), signals.interest]
            guard poll(&entries, 2, -1) > 0 else { continue }
            if let signal = signals.next() {
                // Stopped, it would leave the terminal without echo to whoever comes next.
                if signal == SIGTSTP { continue }
                return .failure(Interruption(signal: signal))
            }
            guard entries[0].revents != 0 else { continue }
            guard let keys = (try? chunk(of: STDIN_FILENO)) ?? nil else { break }
            line.take(keys)
        }
        return .success(line.bytes)
    }
}

/// A line as keys make it, with the two that take something back.
struct TypedLine {
    /// What is in it.
    private(set) var bytes: [UInt8] = []
    /// Whether its end was typed, or there is no room for more.
    private(set) var isOver = false
    private let mostBytes: Int

    /// An empty line, for so many bytes.
    init(mostBytes: Int) {
        self.mostBytes = mostBytes
    }

    /// Takes keys; those after the end are dropped.
    mutating func take(_ keys: [UInt8]) {
        for key in keys where !isOver {
            switch key {
            case UInt8(ascii: "\n"), UInt8(ascii: "\r"), 0x04: isOver = true
            case 0x08, 0x7F: _ = bytes.popLast()
            // Ctrl-U.
            case 0x15: bytes = []
            default:
                bytes.append(key)
                isOver = bytes.count > mostBytes
            }
        }
    }
}

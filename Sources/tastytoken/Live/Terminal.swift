// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Glibc

/// The terminal that standard output is, borrowed whole: its other screen, without cursor, echo or wrapped lines.
final class Terminal {
    /// Its extent in characters.
    struct Size: Equatable {
        var rows: Int
        var columns: Int
    }

    private var kept: termios?
    private var readsKeys = isatty(STDIN_FILENO) == 1

    /// A terminal as it was found.
    init() {}

    /// Borrows it; to be called again after the process was stopped.
    func enter() {
        if readsKeys { takeKeys() }
        write("\u{1B}[?1049h\u{1B}[?25l\u{1B}[?7l")
    }

    /// Gives it back as it was.
    func leave() {
        write("\u{1B}[?7h\u{1B}[?25h\u{1B}[?1049l")
        if var kept { tcsetattr(STDIN_FILENO, TCSADRAIN, &kept) }
    }

    /// How large it is now.
    var size: Size {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_row > 0, size.ws_col > 0 else {
            return Size(rows: 24, columns: 80)
        }
        return Size(rows: Int(size.ws_row), columns: Int(size.ws_col))
    }

    /// Shows these lines, from the top; each has to fit. What stood there goes away, without flicker.
    func show(_ lines: [String]) {
        let body = lines.map { $0 + "\u{1B}[K" }.joined(separator: "\r\n")
        write("\u{1B}[H" + body + "\u{1B}[J")
    }

    /// What it waits for: a key, where somebody can press one.
    var interest: pollfd {
        pollfd(fd: readsKeys ? STDIN_FILENO : -1, events: Int16(POLLIN), revents: 0)
    }

    /// The keys that were pressed. Once there can be no more, none are waited for any more.
    func keys() -> [UInt8] {
        let keys = [UInt8](unsafeUninitializedCapacity: 64) { buffer, count in
            count = max(read(STDIN_FILENO, buffer.baseAddress, buffer.count), 0)
        }
        if keys.isEmpty { readsKeys = false }
        return keys
    }

    /// Keys come one by one and are not shown; those that make signals still do.
    private func takeKeys() {
        var mode = termios()
        guard tcgetattr(STDIN_FILENO, &mode) == 0 else { return }
        if kept == nil { kept = mode }
        mode.c_lflag &= ~tcflag_t(ICANON | ECHO)
        tcsetattr(STDIN_FILENO, TCSADRAIN, &mode)
    }

    /// What cannot be shown is left out: the terminal may be gone.
    private func write(_ text: String) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
            guard written > 0 || errno == EINTR else { return }
            rest = rest.dropFirst(max(written, 0))
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// What a terminal shows after the bytes it was sent: as much of ECMA-48 and of xterm's private modes as the tool uses. What
/// it does not know it reports, so that nothing is drawn that was not looked at.
package struct TerminalScreen: Sendable {
    /// What it could make nothing of.
    package private(set) var unknown: [String] = []
    /// Whether a line of the picture that began last was longer than the screen is wide. One that was drawn for a larger
    /// window may still be on its way when the window becomes smaller.
    package private(set) var isOverfull = false
    /// Whether it shows the other screen, without a cursor, without wrapping lines.
    package private(set) var (isAlternate, hidesCursor, wraps) = (false, false, true)
    /// The sequences of styles that came, in order.
    package private(set) var styles: [String] = []
    private var cells: [[Character]]
    private var (row, column) = (0, 0)
    private var pending: [UInt8] = []
    private let (rows, columns): (Int, Int)

    /// An empty screen.
    package init(rows: Int, columns: Int) {
        (self.rows, self.columns) = (rows, columns)
        cells = Array(repeating: Array(repeating: " ", count: columns), count: rows)
    }

    /// The lines, without the spaces at their ends.
    package var lines: [String] {
        cells.map { line in
            String(line.prefix((line.lastIndex { $0 != " " } ?? -1) + 1))
        }
    }

    /// Takes what was written to the terminal.
    package mutating func take(_ bytes: [UInt8]) {
        pending += bytes
        while let length = nextLength() {
            let piece = String(decoding: pending.prefix(length), as: UTF8.self)
            pending.removeFirst(length)
            piece.hasPrefix("\u{1B}") ? control(piece) : print(piece)
        }
    }

    /// The bytes of the next character or sequence, once it is whole.
    private func nextLength() -> Int? {
        guard let first = pending.first else { return nil }
        if first == 0x1B {
            return pending.dropFirst(2).firstIndex { (0x40...0x7E).contains($0) }.map { $0 + 1 }
        }
        let length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
        return pending.count < length ? nil : length
    }

    private mutating func print(_ piece: String) {
        switch piece {
        case "\r": column = 0
        case "\n": row = min(row + 1, rows - 1)
        case "\r\n": (row, column) = (min(row + 1, rows - 1), 0)
        default:
            // Without wrapping, what does not fit would write over the last place.
            guard column < columns, let character = piece.first else {
                isOverfull = true
                return
            }
            cells[row][column] = character
            column += 1
        }
    }

    private mutating func control(_ piece: String) {
        switch piece.dropFirst(2) {
        case "H": (row, column, isOverfull) = (0, 0, false)
        case "K": erase(from: column, to: columns, in: row)
        case "J":
            erase(from: column, to: columns, in: row)
            for line in (row + 1)..<max(rows, row + 1) { erase(from: 0, to: columns, in: line) }
        case "?1049h", "?1049l": isAlternate = piece.hasSuffix("h")
        case "?25h", "?25l": hidesCursor = piece.hasSuffix("l")
        case "?7h", "?7l": wraps = piece.hasSuffix("h")
        case let style where style.hasSuffix("m"): styles.append(String(style))
        default: unknown.append(piece)
        }
    }

    private mutating func erase(from start: Int, to end: Int, in line: Int) {
        for place in start..<max(end, start) { cells[line][place] = " " }
    }
}

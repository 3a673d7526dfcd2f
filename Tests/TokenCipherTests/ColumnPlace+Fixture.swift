// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

extension ColumnPlace {
    static let accessToken = ColumnPlace(.accessToken, of: UserID("42"), in: .sandbox)
    static let refreshToken = ColumnPlace(.refreshToken, of: UserID("42"), in: .sandbox)

    /// Places that differ from the first one in one part each.
    static let others: [(place: ColumnPlace, part: SealFault.PlacePart)] = [
        (ColumnPlace(.accessToken, of: UserID("42"), in: .production), .environment),
        (.refreshToken, .column),
        (ColumnPlace(.accessToken, of: UserID("43"), in: .sandbox), .row),
    ]
}

extension OpenedColumn {
    var fault: SealFault? {
        if case .unreadable(let fault) = self { fault } else { nil }
    }
}

/// Ways of changing a text.
enum Damage {
    /// Every byte of a text in turn, in place of it several others.
    static func ofEveryByte(of text: String) -> [String] {
        let bytes = Array(text.utf8)
        return bytes.indices.flatMap { index in
            let others =
                [bytes[index] ^ 1, bytes[index] ^ 0x20, bytes[index] ^ 4] + Array(#".A_"#.utf8) + [0x22, 0x20, 0x7D]
            return others.filter { $0 != bytes[index] && (0x20..<0x7F).contains($0) }.map {
                var changed = bytes
                changed[index] = $0
                return String(decoding: changed, as: UTF8.self)
            }
        }
    }

    /// Every beginning of a text but the whole and the empty one.
    static func byCuttingOff(_ text: String) -> [String] {
        (1..<text.utf8.count).map { String(decoding: text.utf8.prefix($0), as: UTF8.self) }
    }

    /// One more byte at every place, and one less.
    static func byShifting(_ text: String) -> [String] {
        let bytes = Array(text.utf8)
        return bytes.indices.flatMap { index in
            let more = bytes[...index] + [UInt8(ascii: "A")] + bytes[(index + 1)...]
            let less = bytes[..<index] + bytes[(index + 1)...]
            return [String(decoding: more, as: UTF8.self), String(decoding: less, as: UTF8.self)]
        }
    }
}

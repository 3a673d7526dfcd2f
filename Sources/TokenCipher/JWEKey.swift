// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// A key with its name, and with the parts of headers that are the same for many values.
struct JWEKey: Sendable {
    /// `kid`.
    let id: String
    /// The key at work.
    let cipher: ColumnCipher
    /// How the headers of this key begin, for each environment and column.
    private let starts: [Start]

    /// Puts a key together.
    init(id: String, cipher: ColumnCipher) {
        self.id = id
        self.cipher = cipher
        starts = TradeEnvironment.allCases.flatMap { environment in
            ColumnPlace.Column.allCases.map { Start(JWEHeader.start(forKey: id, environment, $0)) }
        }
    }

    /// The header of a value at that place, as the first part of a JWE: what the value is bound to.
    func encodedHeader(for place: ColumnPlace) -> [UInt8] {
        let start = start(for: place)
        var text = start.rest
        text.reserveCapacity(text.count + place.row.text.utf8.count + 2)
        JWEHeader.appendEnd(of: place, to: &text)
        let (begun, length) = (start.encoded, start.encoded.count + Base64Text.url.encodedCount(text.count))
        return [UInt8](unsafeUninitializedCapacity: length) { room, count in
            _ = room.update(fromContentsOf: begun)
            let rest = UnsafeMutableBufferPointer(rebasing: room[begun.count...])
            count = begun.count + text.withUnsafeBufferPointer { Base64Text.url.encode($0, into: rest) }
        }
    }

    /// The text that all headers of this key begin with in that column, as far as it makes whole groups of base64.
    func encodedStart(for place: ColumnPlace) -> [UInt8] { start(for: place).encoded }

    private func start(for place: ColumnPlace) -> Start {
        let environment = TradeEnvironment.allCases.firstIndex(of: place.environment) ?? 0
        let column = ColumnPlace.Column.allCases.firstIndex(of: place.column) ?? 0
        return starts[environment * ColumnPlace.Column.allCases.count + column]
    }

    /// A beginning, encoded as far as that goes.
    private struct Start: Sendable {
        let encoded: [UInt8]
        /// What is left over, not yet encoded: two bytes at most.
        let rest: [UInt8]

        init(_ text: [UInt8]) {
            let whole = text.count / 3 * 3
            encoded = Base64Text.url.encode(Array(text[..<whole]))
            rest = Array(text[whole...])
        }
    }
}

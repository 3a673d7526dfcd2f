// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// One record of the journal in clear: an entry, or that an account's entry is settled.
enum JournalRecord: Hashable, Sendable {
    case entry(JournalEntry)
    case settled(UserID)

    /// The account it is about.
    var user: UserID {
        switch self {
        case .entry(let entry): entry.user
        case .settled(let user): user
        }
    }

    /// Whether whoever wrote it waits until it is durable.
    var isEntry: Bool {
        if case .entry = self { true } else { false }
    }
}

// A record is a byte for its kind and then its fields: numbers as eight bytes, the lowest first, and texts with their length in
// front. The times are the wall clock's, since the other one may begin anew before it is read.

extension JournalRecord {
    private enum Kind: UInt8 {
        case intent = 1
        case answer = 2
        case salvage = 3
        case settled = 4
        case intentAfterRefresh = 5

        init(_ content: JournalEntry.Content) {
            self =
                switch content {
                case .intent(nil): .intent
                case .intent: .intentAfterRefresh
                case .answer: .answer
                case .salvage: .salvage
                }
        }
    }

    /// The record as it is sealed. The caller overwrites it.
    var bytes: [UInt8] {
        var writer = FieldWriter()
        switch self {
        case .settled(let user):
            writer.add(Kind.settled.rawValue)
            writer.add(user.text)
        case .entry(let entry):
            writer.add(Kind(entry.content).rawValue)
            writer.add(entry.user.text)
            writer.add(entry.usedVersion)
            writer.add(entry.content)
        }
        return writer.bytes
    }

    /// Reads what ``bytes`` gave; nil for anything else.
    ///
    /// - Parameters:
    ///   - bytes: the record, opened.
    ///   - now: the time by both clocks, from which the life of a token is counted on.
    init?(_ bytes: [UInt8], at now: Moment) {
        var reader = FieldReader(bytes)
        guard let kind = reader.byte().flatMap({ Kind(rawValue: $0) }), let user = reader.text().map(UserID.init) else {
            return nil
        }
        if case .settled = kind {
            self = .settled(user)
        } else {
            guard let version = reader.number(), let content = Self.content(kind, &reader, now) else { return nil }
            self = .entry(JournalEntry(user: user, usedVersion: version, content))
        }
        guard reader.isAtEnd else { return nil }
    }

    private static func content(
        _ kind: Kind,
        _ reader: inout FieldReader,
        _ now: Moment
    ) -> JournalEntry.Content? {
        switch kind {
        case .intent: .intent(lastRefreshedAt: nil)
        case .intentAfterRefresh: reader.number().map { .intent(lastRefreshedAt: WallTime(nanoseconds: $0)) }
        case .answer: reader.answer(at: now).map { .answer($0) }
        case .salvage: reader.text().map { .salvage(Secret($0)) }
        case .settled: nil
        }
    }
}

/// Puts fields one after the other.
private struct FieldWriter {
    private(set) var bytes: [UInt8] = []

    mutating func add(_ byte: UInt8) {
        bytes.append(byte)
    }

    mutating func add(_ number: Int64) {
        withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func add(_ text: String) {
        add(Int64(text.utf8.count))
        bytes.append(contentsOf: text.utf8)
    }

    mutating func add(_ content: JournalEntry.Content) {
        switch content {
        case .intent(let last): if let last { add(last.nanoseconds) }
        case .salvage(let token): add(token.reveal())
        case .answer(let answer):
            add(answer.accessToken.reveal())
            add(answer.tokenType)
            add(answer.life.expiresAt.wall.nanoseconds)
            add(answer.life.lifetime.nanoseconds)
            add(answer.newRefreshToken?.reveal() ?? "")
        }
    }
}

/// Takes fields off one after the other; nil where there is none.
private struct FieldReader {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) {
        rest = bytes[...]
    }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func byte() -> UInt8? { rest.popFirst() }

    mutating func number() -> Int64? {
        guard rest.count >= 8 else { return nil }
        defer { rest = rest.dropFirst(8) }
        return rest.prefix(8).reversed().reduce(0) { $0 << 8 | Int64($1) }
    }

    mutating func text() -> String? {
        guard let length = number(), length >= 0, length <= rest.count else { return nil }
        defer { rest = rest.dropFirst(Int(length)) }
        return String(validating: rest.prefix(Int(length)), as: UTF8.self)
    }

    /// The answer, whose token has no more than its own life left whatever clock it was written by.
    mutating func answer(at now: Moment) -> TokenAnswer? {
        guard let accessToken = text(), let type = text(), let end = number(), let length = number(),
            let refreshToken = text(), length > 0
        else { return nil }
        let lifetime = Duration.nanoseconds(length)
        let expiresAt = Moment(wall: min(WallTime(nanoseconds: end), now.wall + lifetime), seenFrom: now)
        return TokenAnswer(
            accessToken: Secret(accessToken),
            tokenType: type,
            life: TokenLife(expiresAt: expiresAt, lifetime: lifetime),
            newRefreshToken: refreshToken.isEmpty ? nil : Secret(refreshToken)
        )
    }
}

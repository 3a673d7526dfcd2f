// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Synchronization
package import TokenCore

/// How the tokens' columns are read and written: what seals them, and in which environment the tokens are good.
package final class TokenColumns: Sendable {
    /// Columns whose values are taken as they stand, whatever they look like.
    package static var asTheyStand: TokenColumns { TokenColumns(sealing: nil, environment: .production) }

    /// A sealed token takes a third more than itself for base64, and its header.
    private static let longestSealed = GrantQueries.longestToken + GrantQueries.longestToken / 2

    /// Whether what is written is sealed. Then a load opens the refresh tokens too, since keys that are missing are to be
    /// known at the start.
    let areSealed: Bool
    private let sealing: Mutex<(any ColumnSealing)?>
    /// In which environment the tokens are good.
    let environment: TradeEnvironment
    private let manners = SealManners()

    private init(sealing: (any ColumnSealing)?, environment: TradeEnvironment) {
        self.areSealed = sealing?.sealingKeyID != nil
        self.sealing = Mutex(sealing)
        self.environment = environment
    }

    /// Columns that `sealing` seals and opens.
    package convenience init(_ sealing: any ColumnSealing, in environment: TradeEnvironment) {
        self.init(sealing: sealing, environment: environment)
    }

    /// The id of the key that seals now; empty where tokens are written in clear.
    var sealingKeyID: String { sealing.withLock { $0?.sealingKeyID } ?? "" }

    /// Seals and opens with other keys of the same kind from now on.
    package func use(_ sealing: any ColumnSealing) {
        self.sealing.withLock { $0 = sealing }
    }

    /// Seals and opens the secrets that daemons share in the schema of their own, with the keys in force now.
    package var shared: SharedSecrets {
        SharedSecrets(sealing.withLock { $0 }, in: environment)
    }

    /// The longest value that is read, in bytes.
    var longestValue: Int { areSealed ? Self.longestSealed : GrantQueries.longestToken }
}

/// What a token's column holds.
enum ColumnContent: Sendable {
    /// Nothing, or white space only.
    case blank
    /// A value that was not read, and looks like a token.
    case unread
    /// A token.
    case token(Secret)
    /// Something else; the words say what and quote nothing.
    case unreadable(String)
    /// Something sealed that does not open; the words say why and quote nothing.
    case closed(String)

    /// Why it cannot be read; nil if it can.
    var complaint: String? {
        switch self {
        case .unreadable(let reason), .closed(let reason): reason
        case .blank, .unread, .token: nil
        }
    }

    /// The token, if it is one.
    var token: Secret? {
        if case .token(let token) = self { token } else { nil }
    }
}

extension TokenColumns {
    /// What a column holds.
    ///
    /// - Parameters:
    ///   - verdict: on the value as it is stored.
    ///   - text: the value; not asked for where the verdict says that it is none.
    ///   - column: which of the row's columns.
    ///   - user: whose row it is.
    /// - Returns: what is to be made of it.
    func content(
        _ verdict: ColumnVerdict,
        _ text: @autoclosure () -> String?,
        of column: ColumnPlace.Column,
        for user: UserID
    ) -> ColumnContent {
        if let reason = complaint(verdict, column) { return .unreadable(reason) }
        guard verdict == .token, let text = text() else { return .blank }
        guard let sealing = sealing.withLock({ $0 }) else { return .token(Secret(text)) }
        let opened = sealing.open(text, at: place(column, user))
        switch opened {
        // A limit for what is sealed is no limit for what is not.
        case .clear(let secret): return areSealed ? Self.judged(secret, column) : .token(secret)
        case .sealed(let secret, by: let key):
            manners.note(key.manner, of: column)
            return Self.judged(secret, column)
        case .unreadable(let fault): return .closed("The \(column.words)'s column \(fault).")
        }
    }

    /// What the refresh token's column holds, as far as that is seen without opening it, where it can be seen so.
    ///
    /// - Parameters:
    ///   - text: a value that looks like a token.
    ///   - user: whose row it is.
    /// - Returns: ``ColumnContent/unread`` if a key that is configured says to open it; else what opening it gives.
    func glance(_ text: String, for user: UserID) -> ColumnContent {
        guard let sealing = sealing.withLock({ $0 }), sealing.claimsToOpen(text, at: place(.refreshToken, user)) else {
            return content(.token, text, of: .refreshToken, for: user)
        }
        return .unread
    }

    /// What is wrong with a value as it is stored; nil if nothing is.
    func complaint(_ verdict: ColumnVerdict, _ column: ColumnPlace.Column) -> String? {
        verdict.complaint(about: column.words, longest: longestValue)
    }

    /// How a value is sealed that stands in a column.
    ///
    /// - Parameters:
    ///   - text: the value; nil if there is none, or it is too long to be one, or cannot be told.
    ///   - fault: the verdict's number in these last cases.
    ///   - column: which of the row's columns.
    ///   - user: whose row it is.
    /// - Returns: what is to be made of it; of what is no token, that it does not open.
    func state(
        _ text: String?,
        _ fault: Int64?,
        of column: ColumnPlace.Column,
        for user: UserID
    ) -> SealState {
        if let reason = fault.flatMap(ColumnVerdict.init).flatMap({ complaint($0, column) }) { return .closed(reason) }
        guard let text, ColumnVerdict.of(text) != .blank else { return .nothing }
        guard let sealing = sealing.withLock({ $0 }) else { return .inClear }
        let opened = sealing.open(text, at: place(column, user))
        if let reason = opened.secret.flatMap({ Self.judged($0, column).complaint }) { return .closed(reason) }
        switch opened {
        case .clear: return .inClear
        case .sealed(_, by: let key):
            manners.note(key.manner, of: column)
            return .sealed(key)
        case .unreadable(let fault): return .closed("The \(column.words)'s column \(fault).")
        }
    }

    /// A value as it would be stored now; nil if it is so already.
    ///
    /// - Throws: why it cannot be stored.
    func sealedAnew(
        _ text: String?,
        in column: ColumnPlace.Column,
        of user: UserID
    ) throws(TokenRejection) -> String? {
        guard let text, let sealing = sealing.withLock({ $0 }) else { return nil }
        let opened = sealing.open(text, at: place(column, user))
        guard sealing.wantsSealing(opened), let secret = opened.secret else { return nil }
        // An application may seal an empty text too. One that is not sealed needs no sealing.
        guard ColumnVerdict.of(secret.reveal()) != .blank || opened != .clear(secret) else { return nil }
        return try sealed(secret, in: column, of: user, by: sealing)
    }

    /// What was sealed need not be a token either.
    private static func judged(_ secret: Secret, _ column: ColumnPlace.Column) -> ColumnContent {
        let verdict = ColumnVerdict.of(secret.reveal())
        if let reason = verdict.complaint(about: column.words) { return .unreadable(reason) }
        return verdict == .blank ? .blank : .token(secret)
    }

    /// What is to be stored for a token.
    ///
    /// - Throws: why it cannot be stored: it would be unreadable when it is read again.
    func stored(
        _ token: Secret,
        in column: ColumnPlace.Column,
        of user: UserID
    ) throws(TokenRejection) -> String {
        guard ColumnVerdict.of(token.reveal()) == .token else {
            let reason = "The new \(column.words) is not made of the characters that tokens are made of."
            throw TokenRejection(reason: reason)
        }
        guard let sealing = sealing.withLock({ $0 }) else { return token.reveal() }
        return try sealed(token, in: column, of: user, by: sealing)
    }

    private func sealed(
        _ token: Secret,
        in column: ColumnPlace.Column,
        of user: UserID,
        by sealing: any ColumnSealing
    ) throws(TokenRejection) -> String {
        do {
            return try sealing.seal(token, at: place(column, user), manners[column])
        } catch {
            throw TokenRejection(reason: "The new \(column.words) cannot be stored: \(error).")
        }
    }

    private func place(_ column: ColumnPlace.Column, _ user: UserID) -> ColumnPlace {
        ColumnPlace(column, of: user, in: environment)
    }
}

/// A token that must not be written.
struct TokenRejection: Error {
    /// Why, in words that quote nothing of it.
    let reason: String
}

extension ColumnPlace.Column {
    /// What the column holds, in words.
    fileprivate var words: String {
        switch self {
        case .accessToken: "access token"
        case .refreshToken: "refresh token"
        case .clientSecret: "client secret"
        }
    }
}

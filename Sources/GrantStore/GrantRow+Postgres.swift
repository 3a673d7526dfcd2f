// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// What one row says, in the fields that ``RowField`` numbers.
struct RowReading {
    /// The row.
    let row: GrantRow
    /// The refresh token; nil where it was not read, or is none.
    let refreshToken: Secret?
    /// Why a sealed value of the row does not open; nil if all that were read do.
    let closed: String?

    /// Reads a row.
    ///
    /// - Parameters:
    ///   - row: the row's fields.
    ///   - user: whose row it is.
    ///   - columns: what opens them.
    ///   - clock: how the server's stands; nil if that is not known.
    ///   - glances: true not to open a refresh token that says by which key it is sealed, beside an access token that was opened:
    ///     it is opened when it is due, long before the token at hand dies, and would take much of the load's time.
    init(
        _ row: PostgresRow,
        of user: UserID,
        _ columns: TokenColumns,
        _ clock: ServerClock?,
        glances: Bool = false
    ) {
        let access = columns.content(
            Self.accessVerdict(row, columns),
            row.text(RowField.accessToken),
            of: .accessToken,
            for: user
        )
        let refresh = Self.refreshContent(row, columns, user, glances: glances && access.token != nil)
        let expiresAt = row.integer(RowField.expiresAt).map(WallTime.init(microseconds:))
        self.row = GrantRow(
            user: user,
            grant: GrantRow.Grant(refresh, access, version: row.integer(RowField.version)),
            accessToken: access.token,
            expiresAt: expiresAt,
            memory: GrantMemory(row, tokenExpiresAt: expiresAt, clock),
            client: row.text(RowField.client)
        )
        refreshToken = refresh.token
        closed = [refresh, access].lazy.compactMap { if case .closed(let reason) = $0 { reason } else { nil } }.first
    }

    /// Of a row that was not looked into.
    init(_ user: UserID, _ left: LeftAlone) {
        self.row = GrantRow(user, left)
        refreshToken = nil
        closed = nil
    }

    private static func accessVerdict(_ row: PostgresRow, _ columns: TokenColumns) -> ColumnVerdict {
        if let fault = row.integer(RowField.accessFault).flatMap(ColumnVerdict.init) { return fault }
        return row.bytes(RowField.accessToken).map { ColumnVerdict.of($0, longest: columns.longestValue) } ?? .blank
    }

    private static func refreshContent(
        _ row: PostgresRow,
        _ columns: TokenColumns,
        _ user: UserID,
        glances: Bool
    ) -> ColumnContent {
        let verdict = row.integer(RowField.refreshVerdict).flatMap(ColumnVerdict.init) ?? .blank
        guard verdict == .token, row.bytes(RowField.refreshToken) == nil else {
            if glances, verdict == .token, let text = row.text(RowField.refreshToken) {
                return columns.glance(text, for: user)
            }
            return columns.content(verdict, row.text(RowField.refreshToken), of: .refreshToken, for: user)
        }
        return .unread
    }
}

extension GrantRow.Grant {
    /// What the columns' contents come to. What stands in the access token's column and is no token makes the grant
    /// unreadable too: it may be something else that must not be overwritten.
    fileprivate init(_ refresh: ColumnContent, _ access: ColumnContent, version: Int64?) {
        guard let version else {
            self = .none
            return
        }
        switch (refresh, access) {
        case (.blank, _): self = .none
        case (.unreadable(let reason), _), (.closed(let reason), _), (_, .unreadable(let reason)),
            (_, .closed(let reason)):
            self = .unreadable(version: version, reason: reason)
        case (.token, _), (.unread, _): self = .present(version: version)
        }
    }
}

extension GrantMemory {
    /// How far the end of a life may lie from what the row says: the column may keep whole seconds only.
    private static let tolerance = Duration.milliseconds(1500)

    /// Reads the state's fields; nil where nothing is remembered, or in words that this daemon does not know.
    init?(_ row: PostgresRow, tokenExpiresAt: WallTime?, _ clock: ServerClock?) {
        guard let status = row.text(RowField.status).flatMap(GrantStatus.init),
            let generation = row.integer(RowField.generation)
        else { return nil }
        let lastRefreshedAt = row.integer(RowField.lastRefreshedAt).map(WallTime.init(microseconds:))
        let lifetime = row.integer(RowField.lifetime).map(Duration.milliseconds)
        let isOurs = Self.isOurs(tokenExpiresAt, lastRefreshedAt, lifetime)
        self.init(
            status: status,
            grantVersion: row.integer(RowField.grantVersion),
            generation: generation,
            consecutiveFailures: Int(row.integer(RowField.failures) ?? 0),
            lastError: row.text(RowField.lastError),
            lastRefreshedAt: lastRefreshedAt,
            lifetime: isOurs ? lifetime : nil,
            tokenEndsAt: isOurs
                ? Self.end(of: tokenExpiresAt, ahead: row.integer(RowField.microsecondsAhead), clock) : nil,
            sealedAnewFrom: Self.sealedFrom(row),
            spent: row.text(RowField.spent).map(Self.versions) ?? []
        )
    }

    /// When a token ends whose expiry was written by a clock that was ahead of the server's by that many microseconds.
    private static func end(of expiresAt: WallTime?, ahead: Int64?, _ clock: ServerClock?) -> BootTime? {
        guard let expiresAt, let ahead, let clock else { return nil }
        return clock.bootTime(at: expiresAt + (.zero - .microseconds(ahead)))
    }

    /// The versions before the row's refresh token was sealed anew; none if the row holds another text by now.
    private static func sealedFrom(_ row: PostgresRow) -> [Int64] {
        guard let version = row.integer(RowField.version), row.integer(RowField.sealedAs) == version,
            let versions = row.text(RowField.sealedFrom)
        else { return [] }
        return Self.versions(versions)
    }

    private static func versions(_ array: String) -> [Int64] {
        array.dropFirst().dropLast().split(separator: ",").compactMap { Int64($0) }
    }

    /// Whether the token in the row is the one that the last refresh gave, judged by its expiry.
    private static func isOurs(_ expiresAt: WallTime?, _ refreshedAt: WallTime?, _ lifetime: Duration?) -> Bool {
        guard let expiresAt, let refreshedAt, let lifetime else { return false }
        let difference = expiresAt - (refreshedAt + lifetime)
        return difference < tolerance && difference > .zero - tolerance
    }
}

extension RowDigest {
    /// Reads id, version and expiry; nil for a row without an id that can be told.
    init?(_ row: PostgresRow) {
        guard let id = row.text(0) else { return nil }
        self.init(
            user: UserID(id),
            grantVersion: row.integer(1),
            expiresAt: row.integer(2).map(WallTime.init(microseconds:))
        )
    }
}

extension StoredGrant {
    /// Reads the fields of ``GrantQueries/grants``; nil for a row without a refresh token. Of the access token no more is asked
    /// than how it looks.
    init?(_ row: PostgresRow, of user: UserID, _ columns: TokenColumns) {
        guard let version = row.integer(1) else { return nil }
        let verdict = row.integer(2).flatMap(ColumnVerdict.init) ?? .blank
        let refresh = columns.content(verdict, row.text(4), of: .refreshToken, for: user)
        let access = row.integer(3).flatMap(ColumnVerdict.init).flatMap { columns.complaint($0, .accessToken) }
        let complaint = (refresh.complaint ?? access).map(UnreadableGrant.init)
        guard let found = complaint.map(Result.failure) ?? refresh.token.map(Result.success) else { return nil }
        self.init(user: user, refreshToken: found, version: version)
    }

    /// Of a row that was not looked into.
    init(_ user: UserID, _ left: LeftAlone) {
        self.init(
            user: user,
            refreshToken: .failure(UnreadableGrant(reason: left.reason)),
            version: left.version
        )
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

extension GrantRow {
    /// Reads the fields that ``RowField`` numbers; nil for a row without an id that can be told, which belongs to nobody.
    init?(_ row: PostgresRow) {
        guard let id = row.text(RowField.id) else { return nil }
        let expiresAt = row.integer(RowField.expiresAt).map(WallTime.init(microseconds:))
        let access = Self.accessVerdict(row)
        self.init(
            user: UserID(id),
            grant: Grant(row, access),
            accessToken: access == .token ? row.text(RowField.accessToken).map(Secret.init) : nil,
            expiresAt: expiresAt,
            memory: GrantMemory(row, tokenExpiresAt: expiresAt)
        )
    }

    private static func accessVerdict(_ row: PostgresRow) -> ColumnVerdict {
        if let fault = row.integer(RowField.accessFault).flatMap(ColumnVerdict.init) { return fault }
        return row.bytes(RowField.accessToken).map { ColumnVerdict.of($0) } ?? .blank
    }
}

extension GrantRow.Grant {
    /// Reads the refresh token's fields. What stands in the access token's column and is no token makes the grant
    /// unreadable too: it may be something else that must not be overwritten.
    init(_ row: PostgresRow, _ access: ColumnVerdict) {
        let refresh = row.integer(RowField.refreshVerdict).flatMap(ColumnVerdict.init) ?? .blank
        guard refresh != .blank, let version = row.integer(RowField.version) else {
            self = .none
            return
        }
        let complaint = refresh.complaint(about: "refresh token") ?? access.complaint(about: "access token")
        self = complaint.map { .unreadable(version: version, reason: $0) } ?? .present(version: version)
    }
}

extension GrantMemory {
    /// How far the end of a life may lie from what the row says: the column may keep whole seconds only.
    private static let tolerance = Duration.milliseconds(1500)

    /// Reads the state's fields; nil where nothing is remembered, or in words that this daemon does not know.
    init?(_ row: PostgresRow, tokenExpiresAt: WallTime?) {
        guard let status = row.text(RowField.status).flatMap(GrantStatus.init),
            let generation = row.integer(RowField.generation)
        else { return nil }
        let lastRefreshedAt = row.integer(RowField.lastRefreshedAt).map(WallTime.init(microseconds:))
        let lifetime = row.integer(RowField.lifetime).map(Duration.milliseconds)
        self.init(
            status: status,
            grantVersion: row.integer(RowField.grantVersion),
            generation: generation,
            consecutiveFailures: Int(row.integer(RowField.failures) ?? 0),
            lastError: row.text(RowField.lastError),
            lastRefreshedAt: lastRefreshedAt,
            lifetime: Self.isOurs(tokenExpiresAt, lastRefreshedAt, lifetime) ? lifetime : nil
        )
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
    /// Reads id, version, the verdicts on both columns, and the refresh token.
    init?(_ row: PostgresRow) {
        guard let id = row.text(0), let version = row.integer(1) else { return nil }
        let refresh = row.integer(2).flatMap(ColumnVerdict.init)
        let access = row.integer(3).flatMap(ColumnVerdict.init)
        let complaint = refresh?.complaint(about: "refresh token") ?? access?.complaint(about: "access token")
        let token: Result<Secret, UnreadableGrant> =
            if let complaint { .failure(UnreadableGrant(reason: complaint)) } else {
                .success(Secret(row.text(4) ?? ""))
            }
        self.init(user: UserID(id), refreshToken: token, version: version)
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

// What the statements that read rows are made of.

/// The fields of a row in `load`, `rows` and `claimed`.
enum RowField {
    static let id = 0
    static let version = 1
    static let refreshVerdict = 2
    static let accessFault = 3
    static let accessToken = 4
    static let expiresAt = 5
    static let status = 6
    static let grantVersion = 7
    static let generation = 8
    static let failures = 9
    static let lastError = 10
    static let lastRefreshedAt = 11
    static let lifetime = 12
    static let sealedFrom = 13
    static let sealedAs = 14
    static let microsecondsAhead = 15
    static let client = 16
    static let spent = 17
    /// NULL where refresh tokens are not read.
    static let refreshToken = 18
}

extension GrantQueries {
    /// The id's cast is what makes the join with the states possible, whatever the id's type.
    var rowSource: String {
        hasOwnSchema
            ? "\(columns.table) t LEFT JOIN tastytokend.grants s ON s.user_id = t.\(columns.id)::text"
            : "\(columns.table) t"
    }

    /// As ``RowField`` numbers them.
    func rowFields(withRefreshToken: Bool) -> String {
        let state =
            hasOwnSchema
            ? """
            s.status, s.grant_version, s.generation, s.consecutive_failures, \(columns.encoding.ifASCII("s.last_error")),
                \(Self.microseconds("s.last_refreshed_at")), s.lifetime_ms,
                s.sealed_from, s.sealed_as, s.microseconds_ahead, \(columns.encoding.ifASCII("s.client")), s.spent_versions
            """ : "NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL"
        return """
            \(shownID), \(version), \(verdict(refreshToken)), \(fault(accessToken)), \(shipped(accessToken)),
                \(expiry), \(state), \(withRefreshToken ? shipped(refreshToken) : "NULL")
            """
    }

    /// The id, or NULL if it cannot be told.
    var shownID: String {
        let id = "t.\(columns.id)::text"
        return columns.legibleID.map { "CASE WHEN \($0) THEN \(id) END" } ?? id
    }

    /// A column's value, unless it is too long to be a token, or cannot be told.
    func shipped(_ text: String) -> String {
        let isToken =
            "octet_length(\(text)) <= \(longestValue)" + orNothing(" AND ", columns.encoding.isASCII(text))
        return "CASE WHEN \(isToken) THEN \(text) END"
    }

    /// The verdict on a column's value that is not ``shipped(_:)``; NULL of one that is, which is judged where it comes.
    func fault(_ text: String) -> String {
        let notASCII = orNothing(" WHEN NOT ", "(\(columns.encoding.isASCII(text))) THEN 3")
        return "CASE WHEN octet_length(\(text)) > \(longestValue) THEN 2\(notASCII) END"
    }

    /// What is to be looked at only where not every text can be told.
    private func orNothing(_ link: String, _ condition: String) -> String {
        columns.encoding.isUTF8 ? "" : link + condition
    }

    /// The refresh token's column, as text.
    var refreshToken: String { "t.\(columns.refreshToken)::text" }
    /// The access token's column, as text.
    var accessToken: String { "t.\(columns.accessToken)::text" }

    /// Differs when the stored text differs. The collation is named because some let different texts be equal.
    var version: String { version(of: refreshToken) }

    /// The version of another value.
    func version(of text: String) -> String { "hashtextextended(\(text) COLLATE \"C\", 0)" }

    var expiry: String { Self.microseconds("t.\(columns.expiresAt)") }

    /// Whole microseconds since 1970, NULL for what no token's expiry can be, such as `infinity`. `date_part` counts in
    /// doubles, which hold microseconds exactly until the year 2242, and is twice as fast as `extract`.
    private static func microseconds(_ column: String) -> String {
        """
        CASE WHEN \(column) >= '1970-01-01 00:00:00Z' AND \(column) < '2200-01-01 00:00:00Z' \
        THEN (date_part('epoch', \(column)) * 1000000)::bigint END
        """
    }

    /// Whether there is nothing but white space. The first character decides nearly always, which spares a slow trim.
    func isBlank(_ text: String) -> String {
        "(CASE WHEN \(text) COLLATE \"C\" >= '!' THEN false "
            + "ELSE coalesce(btrim(\(text), E' \\t\\n\\r\\f\\x0b'), '') = '' END)"
    }

    /// Tells tokens (RFC 6749 appendix A: visible ASCII and space) from what else may stand in a column. What JSON
    /// would not escape, is ASCII and has no DEL is found good by linear scans; the regular expression,
    /// many times as slow, is left for the rest.
    func verdict(_ text: String) -> String {
        """
        CASE WHEN \(isBlank(text)) THEN 0 \
        WHEN octet_length(\(text)) > \(longestValue) THEN 2 \
        WHEN octet_length(to_json(\(text))::text) = octet_length(\(text)) + 2 \
        AND \(columns.encoding.isASCII(text)) AND strpos(\(text) COLLATE "C", E'\\x7f') = 0 THEN 1 \
        WHEN \(text) COLLATE "C" ~ '[^ -~]' THEN 3 ELSE 1 END
        """
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// What daemons on one database tell each other, through the channel that the trigger tells changes by: one notification
/// for a whole batch, with the id of the daemon that tells, which leaves it alone.
struct DaemonNews: Hashable, Sendable {
    /// What happened to the accounts.
    enum Kind: Character, Sendable {
        /// Their tokens were stored.
        case stored = "d"
        /// The claims on them were given back.
        case released = "r"
    }

    /// Stands before every account. An id that has it in it is not told of.
    private static let separator: Character = "\u{1F}"
    /// What the ids of one notification may take, the last one apart; a payload has fewer than 8000 bytes.
    private static let longestPayload = 6000
    /// An id that is longer than any sensible one is not told of.
    private static let longestID = 1000

    /// A condition that is always true, and reads the part `told` of ``telling(_:by:of:_:)``, which would not be carried out otherwise.
    static let isTold = "(SELECT count(t.sent) FROM told t) >= 0"

    /// What happened.
    let kind: Kind
    /// The daemon that tells.
    let owner: String
    /// Whose accounts.
    let users: [UserID]

    /// Reads a payload; nil if it is another's, or none that is understood: anybody may send to the channel.
    init?(_ payload: String) {
        guard let kind = payload.first.flatMap(Kind.init) else { return nil }
        let parts = payload.dropFirst().split(separator: Self.separator, omittingEmptySubsequences: false)
        guard parts.count > 1 else { return nil }
        self.kind = kind
        self.owner = String(parts[0])
        self.users = parts.dropFirst().map { UserID(String($0)) }
    }

    /// Parts of a WITH clause, of which `told` tells when it is read, in the statement's own transaction. A queue of
    /// notifications that fills up, because some listener is stuck, is left alone, as by the trigger: a full one would fail the write.
    ///
    /// - Parameters:
    ///   - kind: what happened.
    ///   - owner: the daemon's id, in SQL.
    ///   - source: what can be read from, with the ids in its column `id`.
    ///   - columns: how the ids are made: one that the listener's connection might not be able to take is not told of.
    /// - Returns: the parts, without a comma after the last.
    static func telling(_ kind: Kind, by owner: String, of source: String, _ columns: GrantColumns) -> String {
        let isTellable =
            columns.encoding.isUTF8 || !columns.idType.isText ? "" : " AND \(columns.encoding.isASCII("s.id::text"))"
        return """
            tellable AS (
                SELECT DISTINCT s.id::text COLLATE "C" AS id FROM \(source) s
                WHERE octet_length(s.id::text) <= \(longestID) AND strpos(s.id::text, E'\\x1f') = 0\(isTellable)
            ), parts AS (
                SELECT p.id, sum(octet_length(p.id) + 1) OVER (ORDER BY p.id ROWS UNBOUNDED PRECEDING) / \(longestPayload) AS part
                FROM tellable p
            ), told AS (
                SELECT pg_notify('\(ChangeTrigger.channel)', '\(kind.rawValue)' || \(owner) || string_agg(E'\\x1f' || p.id, ''))::text AS sent
                FROM parts p WHERE (SELECT pg_notification_queue_usage()) <= 0.5 GROUP BY p.part
            )
            """
    }
}

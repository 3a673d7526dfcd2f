// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// Whether the application's table tells of its changes.
package enum TriggerStatus: String, Hashable, Sendable {
    /// It does.
    case present
    /// There is a trigger, but for other columns, or from another version, or switched off, or not whole.
    case outdated
    /// It does not.
    case absent
}

/// What `migrate` adds to the application's table: a trigger that tells of changed rows by NOTIFY.
///
/// It runs as whoever writes the row, and touches nothing that needs a right: PostgreSQL asks for none to fire it. It
/// never fails the write. All that could go wrong happens in a block that swallows it; a payload is short; a queue that
/// fills up, because some listener is stuck, is left alone, since a full one would fail the application's commit. What
/// is not told then is found by the reconcile pass.
///
/// It names the columns in its code only. With a condition or a column list it would depend on them, and the
/// application's own migrations, such as the removal of a column, would fail.
struct ChangeTrigger: Sendable {
    /// Where it tells; also what the daemon listens to.
    static let channel = "tastytokend"
    /// The payload that says that more was changed than is told: look at everything.
    static let everything = "*"
    /// What stands before a user's id in a payload.
    static let userPrefix: Character = "u"
    /// So many rows of one transaction are told one by one; of more, only that there are more.
    static let mostTold = 100
    /// Set for the daemon's own transactions alone, by `set_config`, which goes through a pooler as part of a statement.
    static let ownWrite = "tastytokend.own_write"
    /// The names of the triggers on the table: for rows, and for TRUNCATE, which has none.
    static let names = ["tastytokend_changes", "tastytokend_truncate"]

    private let columns: GrantColumns

    /// Fits the trigger to a table.
    init(_ columns: GrantColumns) {
        self.columns = columns
    }

    /// The function, made anew where there is one.
    var function: Statement {
        Statement(
            "function for the trigger",
            """
            CREATE OR REPLACE FUNCTION tastytokend.tell_changes() RETURNS trigger LANGUAGE plpgsql AS
            $tastytokend$\(body)$tastytokend$
            """
        )
    }

    /// The triggers on the table.
    var creation: [Statement] {
        [
            Statement(
                "trigger",
                """
                CREATE TRIGGER \(Self.names[0]) AFTER INSERT OR DELETE OR UPDATE ON \(columns.table)
                FOR EACH ROW EXECUTE FUNCTION tastytokend.tell_changes()
                """
            ),
            Statement(
                "trigger for truncate",
                """
                CREATE TRIGGER \(Self.names[1]) AFTER TRUNCATE ON \(columns.table)
                FOR EACH STATEMENT EXECUTE FUNCTION tastytokend.tell_changes()
                """
            ),
        ]
    }

    /// The function's source, as the catalogue keeps it.
    var body: String {
        """

        DECLARE
            told integer;
        BEGIN
            IF pg_catalog.current_setting('\(Self.ownWrite)', true) = 'on' THEN
                RETURN NULL;
            END IF;
            IF TG_OP = 'UPDATE' THEN
                IF NOT (\(columns.differences)) THEN
                    RETURN NULL;
                END IF;
            END IF;
            IF pg_catalog.pg_notification_queue_usage() > 0.5 THEN
                RETURN NULL;
            END IF;
            told := coalesce(nullif(pg_catalog.current_setting('tastytokend.told', true), ''), '0')::integer + 1;
            IF TG_OP = 'TRUNCATE' OR told > \(Self.mostTold) THEN
                PERFORM pg_catalog.pg_notify('\(Self.channel)', '\(Self.everything)');
                RETURN NULL;
            END IF;
            PERFORM pg_catalog.set_config('tastytokend.told', told::text, true);
            IF TG_OP <> 'INSERT' THEN
                PERFORM pg_catalog.pg_notify('\(Self.channel)', \(payload("OLD")));
            END IF;
            IF TG_OP <> 'DELETE' THEN
                PERFORM pg_catalog.pg_notify('\(Self.channel)', \(payload("NEW")));
            END IF;
            RETURN NULL;
        EXCEPTION WHEN OTHERS THEN
            RETURN NULL;
        END

        """
    }

    /// A payload has fewer than 8000 bytes; an id that is longer than any sensible one is not told. Neither is one that the
    /// listener's connection might not be able to take: with it, others would be lost.
    private func payload(_ row: String) -> String {
        let id = "\(row).\(columns.id)::text"
        let user = "'\(Self.userPrefix)' || \(id)"
        let isTellable =
            columns.encoding.isUTF8 || !columns.idType.isText ? "" : " AND \(columns.encoding.isASCII(id))"
        return "CASE WHEN octet_length(\(id)) <= 1000\(isTellable) THEN \(user) ELSE '\(Self.everything)' END"
    }
}

extension GrantColumns {
    /// Whether an UPDATE changed what the daemon looks at. The collation is named because some let different texts be
    /// equal.
    fileprivate var differences: String {
        let texts = [id, accessToken, refreshToken].map { column in
            "OLD.\(column)::text COLLATE \"C\" IS DISTINCT FROM NEW.\(column)::text COLLATE \"C\""
        }
        return (texts + ["OLD.\(expiresAt) IS DISTINCT FROM NEW.\(expiresAt)"]).joined(separator: " OR ")
    }
}

// MARK: - What there is

extension ChangeTrigger {
    /// Whether the function is there; whether its source is `$2`; how many of the triggers are on table `$1` and at work.
    private static let survey = Statement(
        "look at the trigger",
        """
        SELECT p.prosrc IS NOT NULL, p.prosrc = $2, (
            SELECT count(*) FROM pg_trigger t
            WHERE t.tgfoid = p.oid AND t.tgrelid = $1::regclass AND t.tgenabled IN ('O', 'A')
        )
        FROM (SELECT) one LEFT JOIN (
            SELECT p.oid, p.prosrc FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
            WHERE n.nspname = 'tastytokend' AND p.proname = 'tell_changes'
        ) p ON true
        """
    )

    /// The statements that take it off every table that it is on.
    static func removal(from connection: PostgresConnection, until deadline: Deadline) throws(StoreError) -> [Statement]
    {
        let places = try connection.run(Self.places, until: deadline).rows { row -> (table: String, name: String)? in
            guard let table = row.text(0), let name = row.text(1) else { return nil }
            return (table, name)
        }
        return places.map { Statement("trigger's removal", "DROP TRIGGER \($0.name) ON \($0.table)") }
    }

    private static let places = Statement(
        "look for triggers",
        """
        SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname), quote_ident(t.tgname)
        FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
            JOIN pg_proc p ON p.oid = t.tgfoid JOIN pg_namespace s ON s.oid = p.pronamespace
        WHERE s.nspname = 'tastytokend' AND p.proname = 'tell_changes' AND t.tgparentid = 0
        ORDER BY 1, 2
        """
    )

    /// Asks the catalogue.
    func status(on connection: PostgresConnection, until deadline: Deadline) throws(StoreError) -> TriggerStatus {
        let result = try connection.run(Self.survey, [columns.table, body], until: deadline)
        let answers = result.rows { row in (row.flag(0), row.flag(1), row.integer(2) ?? 0) }
        guard let (isThere, isOurs, count) = answers.first, isThere else { return .absent }
        if count == 0 { return .absent }
        return isOurs && count == Self.names.count ? .present : .outdated
    }
}

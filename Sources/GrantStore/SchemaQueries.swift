// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// The questions and statements around schema `tastytokend`; the steps themselves are in folder Migrations.
enum SchemaQueries {
    /// How things stand, without touching what the role may not: the role; the database; whether it may create schemas;
    /// whether the schema is there; whether the role may use it; may create in it; whether the table of versions is
    /// there and readable; whether the other tables are there with all rights that the daemon needs; whether the
    /// table of versions is there; whose the schema is.
    static let survey = Statement(
        "survey the schema",
        """
        SELECT current_user, current_database(), has_database_privilege(current_database(), 'CREATE'),
            n.oid IS NOT NULL, coalesce(has_schema_privilege(n.oid, 'USAGE'), false),
            coalesce(has_schema_privilege(n.oid, 'CREATE'), false),
            coalesce((SELECT has_table_privilege(c.oid, 'SELECT') FROM pg_class c
                WHERE c.relnamespace = n.oid AND c.relname = 'schema_versions'), false),
            (SELECT count(*) = 7 FROM pg_class c
                WHERE c.relnamespace = n.oid AND c.relname IN
                    ('grants', 'claims', 'providers', 'sealers', 'clients', 'authorizations', 'authorization_links')
                AND has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT')
                AND has_table_privilege(c.oid, 'UPDATE')),
            EXISTS (SELECT FROM pg_class c WHERE c.relnamespace = n.oid AND c.relname = 'schema_versions'),
            coalesce(pg_get_userbyid(n.nspowner), '')
        FROM (SELECT) one LEFT JOIN pg_namespace n ON n.nspname = 'tastytokend'
        """
    )

    /// The newest version that was applied; NULL if none was.
    static let version = Statement("schema version", "SELECT max(version) FROM tastytokend.schema_versions")

    /// How long a migration waits for a lock on the application's table: its statements queue up behind one that waits.
    static let lockWait = Duration.seconds(1)

    /// How long the statements after it in this transaction wait for a lock.
    static func lockTimeout(_ limit: Duration) -> Statement {
        Statement("lock timeout", "SET LOCAL lock_timeout = '\(Int(limit / .milliseconds(1)))ms'")
    }

    /// One migration at a time in this database. The lock goes with the transaction, so that a pooler cannot lose it.
    /// The number is the word "tastytok" in ASCII.
    static let lock = Statement("migration lock", "SELECT pg_advisory_xact_lock(8386110925231648619)")

    /// The schema; to be run only where it is missing, since asking for it takes the right to create it.
    static let createSchema = Statement("create schema", "CREATE SCHEMA tastytokend")

    /// The table of versions.
    static let createVersions = Statement(
        "create table of versions",
        """
        CREATE TABLE IF NOT EXISTS tastytokend.schema_versions (
            version integer PRIMARY KEY, title text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())
        """
    )

    /// Notes that a step was applied.
    static func noteVersion(_ step: Migration) -> Statement {
        let title = step.title.replacing("'", with: "''")
        return Statement(
            "note version",
            "INSERT INTO tastytokend.schema_versions (version, title) VALUES (\(step.version), '\(title)')"
        )
    }

    /// Takes away all that the steps and the trigger's function made; the schema only if nothing else is in it.
    static let removal = [
        Statement("function's removal", "DROP FUNCTION IF EXISTS tastytokend.tell_changes()"),
        Statement(
            "tables' removal",
            """
            DROP TABLE IF EXISTS tastytokend.sealers, tastytokend.providers, tastytokend.claims, tastytokend.grants,
                tastytokend.authorizations, tastytokend.authorization_links, tastytokend.clients,
                tastytokend.schema_versions
            """
        ),
        Statement("schema's removal", "DROP SCHEMA tastytokend"),
    ]

    /// What is good once is deleted as it is used; a client, as a person says.
    private static let deletable = "tastytokend.clients, tastytokend.authorizations, tastytokend.authorization_links"

    /// What a role needs to work with a schema that another role made. Without the last one it works too, but for connecting people who
    /// come back from TastyTrade, and for removing clients.
    static func grants(to role: String) -> [Statement] {
        [
            Statement("grant", "GRANT USAGE ON SCHEMA tastytokend TO \(role)"),
            Statement("grant", "GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA tastytokend TO \(role)"),
            Statement("grant", "GRANT DELETE ON \(deletable) TO \(role)"),
        ]
    }
}

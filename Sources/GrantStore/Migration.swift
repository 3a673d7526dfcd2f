// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// One step in the life of schema `tastytokend`. Steps are never changed once released; new ones are added.
package struct Migration: Sendable {
    /// Its number; they go up by one.
    package let version: Int
    /// What it brings.
    package let title: String
    /// The statements, run in one transaction with everything else that is due.
    package let sql: String

    /// Every step, in order; each is a file of folder Migrations, embedded when the daemon is built.
    package static let all = [
        Migration(
            version: 1,
            title: "grant state",
            sql: String(decoding: PackageResources._001_grant_state_sql, as: UTF8.self)
        ),
        Migration(
            version: 2,
            title: "claims",
            sql: String(decoding: PackageResources._002_claims_sql, as: UTF8.self)
        ),
        Migration(
            version: 3,
            title: "sealing",
            sql: String(decoding: PackageResources._003_sealing_sql, as: UTF8.self)
        ),
        Migration(
            version: 4,
            title: "calls",
            sql: String(decoding: PackageResources._004_calls_sql, as: UTF8.self)
        ),
        Migration(
            version: 5,
            title: "clients",
            sql: String(decoding: PackageResources._005_clients_sql, as: UTF8.self)
        ),
        Migration(
            version: 6,
            title: "authorizations",
            sql: String(decoding: PackageResources._006_authorizations_sql, as: UTF8.self)
        ),
        Migration(
            version: 7,
            title: "repeated calls",
            sql: String(decoding: PackageResources._007_repeated_calls_sql, as: UTF8.self)
        ),
    ]

    /// The version that this daemon works with.
    package static var newest: Int { all.last?.version ?? 0 }
}

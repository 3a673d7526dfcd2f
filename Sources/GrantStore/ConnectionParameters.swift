// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// What a connection is opened with: the operator's connection string (libpq manual, section 34.1.1), our own defaults
/// below it, and the servers it names, one by one.
///
/// libpq's asynchronous way of connecting has no deadline for each of several hosts, so that the first one, if it is
/// silent, would use up the time of all. Therefore the hosts are tried here, each with its own deadline.
struct ConnectionParameters {
    /// Keywords that hold in any case, or unless the connection string says otherwise.
    private static let defaults = [
        ("fallback_application_name", "tastytokend"),
        ("keepalives_idle", "30"),
        ("keepalives_interval", "10"),
        ("keepalives_count", "3"),
        ("tcp_user_timeout", "20000"),
        // A standby may lag, and could not store what a refresh gives.
        ("target_session_attrs", "read-write"),
    ]

    /// Values that must not appear in any text.
    let secrets: [Secret]
    /// Where an operator finds what the connection is made with.
    let place: String
    /// How many servers the connection string names; at least one.
    var serverCount: Int { servers.count }

    private let connectionString: Secret?
    private let servers: [[(String, String)]]

    /// Takes the connection string apart; nil leaves everything to libpq's own `PG…` variables. To be called on a lane.
    /// The key is what complaints speak of.
    init(_ connectionString: Secret?, key: String, on lane: PostgresLane) throws(StoreError) {
        lane.check()
        self.connectionString = connectionString
        self.place = connectionString == nil ? "\(key) (it is not set, so libpq's own PG… variables hold)" : key
        let options = try connectionString.map { text throws(StoreError) in try Self.options(of: text, key) } ?? [:]
        self.secrets = ["password", "sslpassword"].compactMap { options[$0].map(Secret.init) }
        self.servers = Self.servers(options)
    }

    /// Keywords and values for `PQconnectStartParams` with `expand_dbname`, where later ones win.
    func keywords(ofServer index: Int) -> [(String, String)] {
        let given = connectionString.map { [("dbname", $0.reveal())] } ?? []
        // Text is read as UTF-8 whatever the database's encoding.
        return Self.defaults + given + servers[index % servers.count] + [("client_encoding", "UTF8")]
    }

    private static func options(of text: Secret, _ key: String) throws(StoreError) -> [String: String] {
        do throws(ConnectionStringFault) {
            return try ConnectionString.options(of: text)
        } catch {
            throw StoreError(
                .misconfigured,
                reach: .connection,
                text: "\(key) cannot be read (\(error.reason)). It is written \(ConnectionString.form)."
            )
        }
    }

    private static func servers(_ options: [String: String]) -> [[(String, String)]] {
        let lists = ["host", "hostaddr", "port"].map { keyword in
            (keyword, options[keyword]?.split(separator: ",", omittingEmptySubsequences: false).map(String.init) ?? [])
        }
        let count = lists.map(\.1.count).max() ?? 0
        guard count > 1 else { return [[]] }
        return (0..<count).map { index in
            lists.compactMap { keyword, values in
                // One port for several hosts holds for each of them.
                values.isEmpty ? nil : (keyword, values.count == 1 ? values[0] : values[min(index, values.count - 1)])
            }
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import Logging
package import SocketServer

/// The daemon's configuration, checked: every value is usable, and none contradicts another (product.md,
/// Configuration).
package struct Configuration: Sendable {
    /// The OAuth client, and where TastyTrade is called.
    package let tastytrade: TastyTrade
    /// Where the accounts are.
    package let database: Database
    /// How the tokens' columns are sealed.
    package let encryption: Encryption
    /// When and how fast tokens are refreshed.
    package let refresh: Refresh
    /// Where replies are made durable.
    package let journal: Journal
    /// Where callers come in.
    package let socket: Socket
    /// Who may do what, besides root and the daemon's own user.
    package let access: [AccessRule]
    /// The web pages.
    package let web: Web
    /// Metrics other than on the socket.
    package let metrics: Metrics
    /// What is written where.
    package let log: Log

    /// Where the daemon keeps replies that the database does not have yet.
    package struct Journal: Hashable, Sendable {
        /// The folder.
        package let path: String
    }

    /// Metrics other than on the socket.
    package struct Metrics: Hashable, Sendable {
        /// Where they are served over TCP, on loopback only; nil: nowhere.
        package let listen: LoopbackAddress?
    }

    /// What is written where.
    package struct Log: Hashable, Sendable {
        /// The forms that records can have.
        package enum Format: String, Hashable, Sendable, CaseIterable {
            /// Fields in the journal.
            case journald
            /// A line for people, on stderr.
            case text
            /// A JSON object a line, on stderr.
            case json
        }

        /// What is less serious is not written.
        package let level: Logger.Level
        /// The form; nil: journald when started by systemd, else text.
        package let format: Format?
        /// How much is recorded of who took whose token.
        package let audit: AuditSettings
    }
}

extension Configuration {
    /// Reads every section. What is wrong is in the reader afterwards.
    init(reading reader: inout SettingReader) {
        tastytrade = TastyTrade(reading: &reader)
        database = Database(reading: &reader)
        encryption = Encryption(reading: &reader)
        refresh = Refresh(reading: &reader)
        journal = Journal(reading: &reader)
        socket = Socket(reading: &reader)
        access = AccessRule.rules(reading: &reader)
        web = Web(reading: &reader)
        metrics = Metrics(reading: &reader)
        log = Log(reading: &reader)
        reader.remarkOnEffect(.named("notify"), reader.file.place(ofTree: "notify"))
    }
}

extension Configuration.Journal {
    /// Reads `journal.path`; by default the folder that the service manager made (`StateDirectory=`).
    fileprivate init(reading reader: inout SettingReader) {
        let given = reader.optional("journal.path", .path)
        path = given ?? reader.stateFolder ?? "/var/lib/tastytokend"
        if given == nil { reader.note("journal.path", path) }
    }
}

extension Configuration.Metrics {
    /// Reads `metrics.listen`.
    fileprivate init(reading reader: inout SettingReader) {
        listen = reader.optional("metrics.listen", .loopbackAddress)
    }
}

extension Configuration.Log {
    /// Reads `log.*`.
    fileprivate init(reading reader: inout SettingReader) {
        level = reader.value("log.level", .choice())
        format = reader.optional("log.format", .choice())
        audit = AuditSettings(
            isOn: reader.value("log.audit", .flag),
            sample: reader.value("log.auditSample", .whole(1...1_000_000))
        )
    }
}

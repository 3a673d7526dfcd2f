// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import CLibPQ
import Glibc
import TokenCore

extension PostgresConnection {
    /// Opens a connection to one of the servers; to be called on the lane.
    static func open(
        _ parameters: ConnectionParameters,
        server: Int,
        on lane: PostgresLane,
        until deadline: Deadline
    ) throws(StoreError) -> PostgresConnection {
        lane.check()
        guard let pointer = start(parameters.keywords(ofServer: server)) else {
            throw StoreError(.unavailable, reach: .connection, text: "There is no memory for a database connection.")
        }
        PQsetNoticeProcessor(pointer, { _, _ in }, nil)
        // The only way to learn the SQLSTATE of a refused connection is from its verbose text.
        PQsetErrorVerbosity(pointer, PQERRORS_VERBOSE)
        do throws(StoreError) {
            try finish(pointer, parameters, until: deadline)
        } catch {
            PQfinish(pointer)
            throw error
        }
        PQsetErrorVerbosity(pointer, PQERRORS_TERSE)
        PQsetnonblocking(pointer, 1)
        return PostgresConnection(owning: pointer, on: lane, hiding: parameters.secrets)
    }

    private static func start(_ keywords: [(String, String)]) -> OpaquePointer? {
        let names = keywords.map { strdup($0.0) }
        let values = keywords.map { strdup($0.1) }
        defer { (names + values).forEach { free($0) } }
        return PQconnectStartParams(
            names.map { UnsafePointer($0) } + [nil],
            values.map { UnsafePointer($0) } + [nil],
            1
        )
    }

    /// Drives the connection to its end (libpq manual, PQconnectPoll). The socket may be another after every step.
    private static func finish(
        _ pointer: OpaquePointer,
        _ parameters: ConnectionParameters,
        until deadline: Deadline
    ) throws(StoreError) {
        guard PQstatus(pointer) != CONNECTION_BAD else { throw refusal(pointer, parameters) }
        var wanted = CInt(POLLOUT)
        while true {
            guard SocketWait.isReady(PQsocket(pointer), for: wanted, until: deadline) else {
                throw silence(deadline)
            }
            switch PQconnectPoll(pointer) {
            case PGRES_POLLING_OK: return
            case PGRES_POLLING_READING: wanted = CInt(POLLIN)
            case PGRES_POLLING_WRITING: wanted = CInt(POLLOUT)
            default: throw refusal(pointer, parameters)
            }
        }
    }

    private static func silence(_ deadline: Deadline) -> StoreError {
        StoreError(
            .unavailable,
            reach: .connection,
            text: "The database did not answer within \(deadline.limit)."
        )
    }

    private static func refusal(_ pointer: OpaquePointer, _ parameters: ConnectionParameters) -> StoreError {
        let words = String(cString: PQerrorMessage(pointer))
        let password = PQpass(pointer).map { Secret(String(cString: $0)) }
        let secrets = parameters.secrets + [password].compactMap { $0 }
        let refusal = ConnectRefusal(words, isMissingPassword: PQconnectionNeedsPassword(pointer) == 1)
        return StoreError(
            refusal.kind,
            sqlState: refusal.sqlState,
            reach: .connection,
            text: refusal.sentence(
                about: parameters.place,
                SafeText(foreign: refusal.text, hiding: secrets, toBytes: SafeText.remarkLimit).text
            )
        )
    }
}

/// A refused connection's text, as libpq words it when asked to be verbose.
struct ConnectRefusal {
    /// The SQLSTATE of the last server that answered at all.
    let sqlState: String?
    /// The words without SQLSTATE and source positions, on one line.
    let text: String
    /// Whether the server wanted a password and none was given.
    let isMissingPassword: Bool

    /// What follows from it.
    var kind: StoreFailure.Kind {
        isMissingPassword ? .misconfigured : sqlState.map(StoreError.kind) ?? .unavailable
    }

    /// What happened, to what, and what to do: a wrong login or database is no outage, although both mean that there is no
    /// connection. `place` is where the operator can mend it, `words` is what libpq said, made safe.
    func sentence(about place: String, _ words: String) -> String {
        switch sqlState {
        case _ where isMissingPassword: "The database wants a password: \(words): give it one in \(place)"
        case "3D000": "There is no such database: \(words): check the database's name in \(place)"
        case "42501": "The database refuses the role: \(words): GRANT CONNECT ON DATABASE, or check \(place)"
        case let state? where state.hasPrefix("28"):
            "The database refuses the login: \(words): check user and password in \(place), and the server's pg_hba.conf"
        default: "The database cannot be reached: \(words)"
        }
    }

    /// Reads lines such as `connection to server … failed: FATAL:  28P01: password authentication failed …`.
    init(_ words: String, isMissingPassword: Bool = false) {
        self.isMissingPassword = isMissingPassword
        var sqlState: String?
        var lines: [String] = []
        // A line with a position in the server's source has two spaces after its (translated) label and no SQLSTATE.
        for line in words.split(whereSeparator: \.isNewline) {
            if let match = line.firstMatch(of: #/:  ([0-9A-Z]{5}): /#) {
                sqlState = String(match.1)
                lines.append(line.replacingCharacters(in: match.range, with: ": "))
            } else if line.prefixMatch(of: /[A-Z]+:  \w+, \w+\.c:\d+/) == nil {
                lines.append(String(line))
            }
        }
        self.sqlState = sqlState
        // libpq's hints are indented by a tab.
        self.text = lines.map { String($0.drop(while: \.isWhitespace)) }.joined(separator: " ")
    }
}

extension Substring {
    fileprivate func replacingCharacters(in range: Range<Index>, with text: String) -> String {
        String(self[..<range.lowerBound]) + text + String(self[range.upperBound...])
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import CLibPQ
import Glibc
import TokenCore

/// One connection to PostgreSQL through libpq in its non-blocking form: every wait has a deadline.
///
/// It belongs to a lane and must only be used there. A statement that overruns its deadline is cancelled, and the
/// connection is closed, since nobody knows what the server is still about to send.
final class PostgresConnection {
    let lane: PostgresLane
    private let pointer: OpaquePointer
    private let secrets: [Secret]
    private var isClosed = false
    /// Whether a `COPY … TO STDOUT` has begun whose last row was not yet read.
    var isCopying = false

    /// The handle, for use on the lane at once.
    var handle: OpaquePointer {
        lane.check()
        return pointer
    }

    /// Takes possession of a handle whose connection is made.
    init(owning pointer: OpaquePointer, on lane: PostgresLane, hiding secrets: [Secret]) {
        self.pointer = pointer
        self.lane = lane
        // The password may also have come from a file or a variable that only libpq reads.
        let password = PQpass(pointer).map { Secret(String(cString: $0)) }
        self.secrets = secrets + [password].compactMap { $0 }.filter { !$0.isEmpty }
    }

    deinit {
        // Whoever lets go of it last may be on another thread.
        nonisolated(unsafe) let pointer = pointer
        lane.submit { PQfinish(pointer) }
    }

    /// Whether it cannot be used any more.
    var isLost: Bool { isClosed || PQstatus(handle) != CONNECTION_OK }

    /// The server's version, as 150018 for 15.18.
    var serverVersion: Int { Int(PQserverVersion(handle)) }

    /// Reads what came in while nobody asked, and tells whether the server has gone in the meantime.
    func isStale() -> Bool {
        while !isLost, SocketWait.hasInput(PQsocket(handle)) {
            guard PQconsumeInput(handle) == 1 else { return true }
        }
        return isLost
    }

    /// Runs a statement and gives its last result.
    ///
    /// - Parameters:
    ///   - statement: what to run. Without arguments it may be a script of several.
    ///   - arguments: the parameters in their text form; nil is NULL. None may hold a NUL character.
    ///   - deadline: when it is cancelled.
    /// - Returns: the result of the statement, or of the script's last.
    /// - Throws: what the server said, or what became of the connection.
    @discardableResult
    func run(
        _ statement: Statement,
        _ arguments: [String?] = [],
        until deadline: Deadline
    ) throws(StoreError) -> PostgresResult {
        try send(statement, arguments, until: deadline)
        var last: PostgresResult?
        var fault: StoreError?
        while let result = try nextResult(of: statement, until: deadline) {
            fault = fault ?? failure(in: result, of: statement)
            last = result
        }
        if let fault { throw fault }
        guard let last else { throw lost(during: statement) }
        return last
    }

    /// Runs `body` within a transaction: committed if it returns, rolled back if it throws.
    func transaction<Value>(
        until deadline: Deadline,
        _ body: () throws(StoreError) -> Value
    ) throws(StoreError) -> Value {
        try begin(until: deadline)
        do throws(StoreError) {
            let value = try body()
            try commit(until: deadline)
            return value
        } catch {
            rollBack(until: deadline)
            throw error
        }
    }

    /// Begins a transaction. The isolation is named, since a role may have another default.
    func begin(until deadline: Deadline) throws(StoreError) {
        try run(Statement("begin", "BEGIN ISOLATION LEVEL READ COMMITTED"), until: deadline)
    }

    /// Ends a transaction.
    func commit(until deadline: Deadline) throws(StoreError) {
        try run(Statement("commit", "COMMIT"), until: deadline)
    }

    /// Undoes a transaction. If even this fails the connection is closed, and the server does it by itself.
    private func rollBack(until deadline: Deadline) {
        guard !isLost else { return }
        do throws(StoreError) {
            try run(Statement("rollback", "ROLLBACK"), until: deadline)
        } catch {
            abandon()
        }
    }

    /// Sends a statement without waiting for its result.
    func send(_ statement: Statement, _ arguments: [String?], until deadline: Deadline) throws(StoreError) {
        let isSent = arguments.isEmpty ? PQsendQuery(handle, statement.text) : sendParameters(statement, arguments)
        guard isSent == 1 else { throw lost(during: statement) }
        try flush(statement, until: deadline)
    }

    /// The next result of what was sent; nil after the last.
    func nextResult(of statement: Statement, until deadline: Deadline) throws(StoreError) -> PostgresResult? {
        while PQisBusy(handle) == 1 { try readMore(for: statement, until: deadline) }
        return PQgetResult(handle).map { PostgresResult(owning: $0, on: lane) }
    }

    /// Waits for bytes from the server and takes them in.
    func readMore(for statement: Statement, until deadline: Deadline) throws(StoreError) {
        guard SocketWait.isReady(PQsocket(handle), for: CInt(POLLIN), until: deadline) else {
            throw overrun(statement, deadline)
        }
        guard PQconsumeInput(handle) == 1 else { throw lost(during: statement) }
    }

    /// What went wrong according to a result; nil if nothing did.
    func failure(in result: PostgresResult, of statement: Statement) -> StoreError? {
        switch result.status {
        case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_COPY_OUT, PGRES_EMPTY_QUERY: return nil
        default: break
        }
        // libpq makes up results of its own, without SQLSTATE, when the connection breaks.
        guard let report = result.report else { return lost(during: statement) }
        let error = StoreError(report, statement: statement.name, hiding: secrets + statement.secrets)
        if error.reach == .connection { isClosed = true }
        return error
    }

    /// Gives the connection up in the middle of something, and asks the server to stop what it does for it.
    func abandon() {
        PostgresCanceller.shared.cancel(PQgetCancel(handle))
        isClosed = true
    }

    /// The failure that a broken connection is.
    func lost(during statement: Statement) -> StoreError {
        isClosed = true
        let lines = String(cString: PQerrorMessage(handle)).split(whereSeparator: \.isNewline)
        let words = SafeText(foreign: lines.joined(separator: " "), hiding: secrets, toBytes: SafeText.remarkLimit)
        return StoreError(
            .unavailable,
            reach: .connection,
            text: "The connection to the database broke during '\(statement.name)': \(words)"
        )
    }

    private func overrun(_ statement: Statement, _ deadline: Deadline) -> StoreError {
        abandon()
        return StoreError(
            .timeout,
            reach: .connection,
            text: "The statement '\(statement.name)' did not end within \(deadline.limit) and was cancelled."
        )
    }

    private func sendParameters(_ statement: Statement, _ arguments: [String?]) -> CInt {
        let copies = arguments.map { argument in argument.flatMap { strdup($0) } }
        defer { copies.forEach { free($0) } }
        let values = copies.map { UnsafePointer($0) }
        return PQsendQueryParams(handle, statement.text, CInt(values.count), nil, values, nil, nil, 0)
    }

    /// Pushes out what libpq still holds; reads meanwhile, since a server that cannot write stops reading.
    private func flush(_ statement: Statement, until deadline: Deadline) throws(StoreError) {
        while true {
            switch PQflush(handle) {
            case 0: return
            case 1:
                guard SocketWait.isReady(PQsocket(handle), for: CInt(POLLIN | POLLOUT), until: deadline) else {
                    throw overrun(statement, deadline)
                }
                guard PQconsumeInput(handle) == 1 else { throw lost(during: statement) }
            default: throw lost(during: statement)
            }
        }
    }
}

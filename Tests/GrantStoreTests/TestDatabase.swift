// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Glibc
import Logging
import Synchronization
import TestSupport
import TokenCore

@testable import GrantStore

/// A database of its own on a server that all tests share; the server goes when the test process ends.
struct TestDatabase: Sendable {
    private static let shared = Task {
        try await TemporaryPostgres.start(accessRules: ["local all asked_for_password scram-sha-256"])
    }

    let server: TemporaryPostgres
    let name: String

    /// Makes a database with the application's table as Rails makes it, and two users in it.
    init(setUp sql: String = TestDatabase.railsTable, encoding: String = "UTF8") async throws {
        self.server = try await Self.shared.value
        self.name = try await server.createDatabase(encoding: encoding)
        try await execute(sql)
    }

    /// A database that is there already.
    init(server: TemporaryPostgres, name: String) {
        (self.server, self.name) = (server, name)
    }

    static let railsTable = """
        CREATE TABLE users (
            id bigserial PRIMARY KEY, email text, updated_at timestamp(6),
            tastytrade_oauth_token text, tastytrade_oauth_refresh_token text, tastytrade_oauth_expires_at timestamp(6)
        );
        INSERT INTO users (email, tastytrade_oauth_token, tastytrade_oauth_refresh_token, tastytrade_oauth_expires_at)
        VALUES ('a', 'access-1', 'refresh-1', '2026-01-01 00:15:00'), ('b', NULL, 'refresh-2', NULL);
        """

    /// The same in two parts.
    static let partitionedTable = railsTable.replacing("\n);", with: "\n) PARTITION BY RANGE (id);")
        .replacing(
            "INSERT",
            with: """
                CREATE TABLE few PARTITION OF users FOR VALUES FROM (0) TO (2);
                CREATE TABLE many PARTITION OF users FOR VALUES FROM (2) TO (100000);
                INSERT
                """
        )

    func url(user: String = "postgres") -> String { server.url(database: name, user: user) }

    func execute(_ sql: String) async throws {
        try await server.execute(sql, database: name)
    }

    func query(_ sql: String) async throws -> String {
        try await server.query(sql, database: name)
    }

    /// Everything in it, as a script that would make it again.
    func dump() async throws -> String {
        try await server.dump(database: name)
    }

    /// A store on this database; `adjust` changes its configuration.
    func store(
        user: String = "postgres",
        clock: TestClock = TestClock(),
        logger: Logger? = nil,
        _ adjust: (inout StoreConfiguration) -> Void = { _ in }
    ) -> PostgresGrantStore {
        var configuration = StoreConfiguration(owner: "test", url: Secret(url(user: user)))
        // A machine that is busy with all tests at once is not what a deadline is for.
        (configuration.statementDeadline, configuration.connectDeadline) = (.seconds(60), .seconds(30))
        adjust(&configuration)
        return .forTest(configuration, clock: clock, logger: logger)
    }

    /// A session of somebody else.
    func session(user: String = "postgres") -> PostgresSession {
        PostgresSession(name: "test", .forTest(url: url(user: user)))
    }
}

/// The machine's clocks, which can be moved ahead, and stand still otherwise if so wished.
final class TestClock: Sendable {
    private let ahead = Mutex(Duration.zero)
    private let wallAhead = Mutex(Duration.zero)
    private let frozen: Moment?

    init(isFrozen: Bool = false) {
        self.frozen = isFrozen ? Self.now : nil
    }

    func advance(by duration: Duration) {
        ahead.withLock { $0 += duration }
    }

    /// Sets the wall clock, and no other.
    func stepWall(by duration: Duration) {
        wallAhead.withLock { $0 += duration }
    }

    @Sendable func read() -> Moment {
        let moment = (frozen ?? Self.now) + ahead.withLock { $0 }
        return Moment(wall: moment.wall + wallAhead.withLock { $0 }, boot: moment.boot)
    }

    private static var now: Moment {
        Moment(
            wall: WallTime(nanoseconds: nanoseconds(CLOCK_REALTIME)),
            boot: BootTime(nanoseconds: nanoseconds(CLOCK_BOOTTIME))
        )
    }

    private static func nanoseconds(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}

extension PostgresGrantStore {
    /// With the longest backoff, so that a test that sees one knows it did not just miss it.
    static func forTest(
        _ configuration: StoreConfiguration,
        clock: TestClock = TestClock(),
        logger: Logger? = nil
    ) -> PostgresGrantStore {
        PostgresGrantStore(
            configuration: configuration,
            clock: clock.read,
            random: { 0.999 },
            logger: logger ?? Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
    }

    /// All rows that ``load(_:)`` gives, by user.
    func loaded() async throws -> [UserID: GrantRow] {
        let collected = Collected<GrantRow>()
        _ = try await load { collected.append($0) }
        return Dictionary(uniqueKeysWithValues: collected.all.map { ($0.user, $0) })
    }

    /// All rows that ``changes(since:_:)`` gives, by user.
    func digested(since mark: PassMark? = nil) async throws -> [UserID: RowDigest] {
        let collected = Collected<RowDigest>()
        _ = try await changes(since: mark) { collected.append($0) }
        return Dictionary(uniqueKeysWithValues: collected.all.map { ($0.user, $0) })
    }

    /// Writes as the engine does: what another session holds once more, waiting for it.
    func write(_ writes: [GrantWrite]) async throws(StoreFailure) -> [UserID: WriteOutcome] {
        let outcomes = try await write(writes, waiting: false)
        let locked = writes.filter { outcomes[$0.user] == .locked }
        guard !locked.isEmpty else { return outcomes }
        return outcomes.merging(try await write(locked, waiting: true)) { _, later in later }
    }

    /// Calls and gives what was thrown.
    func failure<Value>(_ call: (PostgresGrantStore) async throws(StoreFailure) -> Value) async -> StoreFailure? {
        do throws(StoreFailure) {
            _ = try await call(self)
            return nil
        } catch {
            return error
        }
    }
}

extension PostgresSession.Settings {
    static func forTest(url: String, clock: TestClock = TestClock()) -> Self {
        Self(
            url: Secret(url),
            connectDeadline: .seconds(30),
            clock: clock.read,
            random: { 0.999 },
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
    }
}

extension PostgresSession {
    /// Runs a statement and gives the first field of each row.
    @discardableResult
    func query(_ sql: String, within limit: Duration = .seconds(60)) async throws(StoreFailure) -> [String] {
        try await run(within: limit) { connection, deadline throws(StoreError) in
            try connection.run(Statement("test", sql), until: deadline).rows { $0.count > 0 ? $0.text(0) : nil }
        }
    }
}

/// What came in batches.
final class Collected<Element: Sendable>: Sendable {
    private let batches = Mutex<[[Element]]>([])

    func append(_ batch: [Element]) {
        batches.withLock { $0.append(batch) }
    }

    var all: [Element] { batches.withLock { Array($0.joined()) } }
    var sizes: [Int] { batches.withLock { $0.map(\.count) } }
}

extension WallTime {
    /// 2026-01-01T00:00:00Z and that much later.
    static func newYear(plus duration: Duration = .zero) -> WallTime { Moment.newYear.wall + duration }
}

extension PostgresGrantStore {
    /// Claims as a daemon does that never saw a provider rotate refresh tokens.
    func claim(_ users: [UserID]) async throws(StoreFailure) -> [ClaimedGrant] {
        try await claim(users, sends: false)
    }
}

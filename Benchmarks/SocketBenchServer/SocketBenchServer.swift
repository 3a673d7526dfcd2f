// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Glibc
import Logging
import MetricsText
import SocketServer
import Synchronization
import TokenCore

/// Serves made-up tokens of made-up users through the real socket server, for the load generator:
/// `socket-bench-server SOCKET [USERS] [general]`. It runs until it is killed.
@main
enum SocketBenchServer {
    static func main() async throws {
        let arguments = CommandLine.arguments
        guard arguments.count > 1 else {
            print("usage: socket-bench-server SOCKET [USERS] [general]")
            exit(64)
        }
        let board = FixedBoard(users: arguments.count > 2 ? Int(arguments[2]) ?? 1000 : 1000)
        let metrics = MetricRegistry(SocketMetrics.descriptions)
        let server = SocketServer(
            serving: board,
            clock: readClocks,
            access: AccessRules(ownUser: geteuid()),
            facts: ServiceFacts(version: "0", startedAt: WallTime(nanoseconds: 0)) { .init(trouble: nil, changes: "") },
            logger: Logger(label: "socket-bench-server"),
            metrics: SocketMetrics(metrics) { metrics.text },
            usesShortWay: !arguments.contains("general")
        )
        try await server.start(at: .path(arguments[1], mode: 0o600, group: nil))
        await withUnsafeContinuation { (_: UnsafeContinuation<Void, Never>) in }
    }
}

/// Both clocks, one right after the other.
@Sendable private func readClocks() -> Moment {
    Moment(
        wall: WallTime(nanoseconds: nanoseconds(of: CLOCK_REALTIME)),
        boot: BootTime(nanoseconds: nanoseconds(of: CLOCK_BOOTTIME))
    )
}

private func nanoseconds(of clock: clockid_t) -> Int64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}

/// A board on which nothing changes; behind a lock, as a real one is.
private final class FixedBoard: TokenServing {
    private let entries: Mutex<[UserID: BoardEntry]>
    let isReady = true

    /// Users `1` to that number, with tokens that live for ten days and are as long as real ones.
    init(users: Int) {
        let client = ClientRegistration(
            name: "default",
            environment: .sandbox,
            clientID: nil,
            clientSecret: Secret(""),
            apiURL: "https://api.cert.tastyworks.com"
        )
        let life = TokenLife(sentAt: readClocks(), lifetime: .seconds(864_000))
        var entries: [UserID: BoardEntry] = [:]
        for number in 1...max(users, 1) {
            let user = UserID(String(number))
            let text = "eyJhbGciOiJFZERTQSJ9." + String(repeating: "bench", count: 120) + ".\(number)"
            let token = TokenReplyRenderer().render(Secret(text), type: "Bearer", life: life, for: client)
            entries[user] = BoardEntry(token: token, prospect: .possible, version: 1)
        }
        self.entries = Mutex(entries)
    }

    func entry(for user: UserID) -> BoardEntry? { entries.withLock { $0[user] } }
    func onChange(of user: UserID, after version: UInt64, _ wake: @escaping @Sendable () -> Void) -> ChangeWaiter? {
        ChangeWaiter(user: user, number: 0)
    }
    func cancel(_ waiter: ChangeWaiter) {}
    func requestRefresh(of user: UserID) {}
    func reports(_ query: ReportQuery) async -> ReportPage { ReportPage(reports: [], next: nil) }

    func explanation(of user: UserID) async -> GrantExplanation? { nil }

    var eventsEnd: EventPosition { EventPosition(run: 1, seen: 0) }

    func events(from start: EventPosition, atMost limit: Int) -> EventPage {
        EventPage(start: start, events: [], missedSome: false)
    }

    func onEvent(after position: EventPosition, _ wake: @escaping @Sendable () -> Void) -> EventWaiter? {
        EventWaiter(number: 1)
    }

    func cancel(_ waiter: EventWaiter) {}

    func summary() async -> EngineSummary {
        EngineSummary(
            accounts: AccountTally(healthy: 0, failing: 0, needingAPerson: 0, withoutGrant: 0),
            inLine: 0,
            inFlight: 0,
            unstored: 0,
            capacity: 0,
            stoppedFor: nil
        )
    }

    func refresh(
        _ user: UserID,
        if isMeant: @escaping @Sendable (PublishedToken?) -> Bool
    ) async -> RefreshVerdict { .unknownUser }

    func report(on user: UserID) async -> GrantReport? { nil }
}

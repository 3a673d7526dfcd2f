// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import TestSupport
import Testing
import TokenSimulator

/// Recognisable values stand wherever a secret can, every way is driven at the most talkative level, and all that came out
/// is searched, for parts of them and for other forms too.
@Suite(.serialized, .timeLimit(.minutes(8))) struct CanaryTests {
    private static let cases = FaultCatalogue.all

    @Test(arguments: ["text", "json"]) func h31NoSecretIsInAnythingThatComesOut(format: String) async throws {
        let settings = [
            "LOG_LEVEL": "trace", "LOG_FORMAT": format, "METRICS_LISTEN": "127.0.0.1:0",
            "REFRESH_MAX_PER_SECOND": "1000", "REFRESH_MAX_IN_FLIGHT": "128", "REFRESH_TIMEOUT": "6s",
            "REFRESH_CONNECT_TIMEOUT": "3s",
            "REFRESH_BACKOFF_INITIAL": "1s", "REFRESH_BACKOFF_MAX": "2s", "DATABASE_RECONCILE_EVERY": "2s",
        ]
        try await Installation.with(accounts: Self.cases.count, lifetime: .seconds(16), settings: settings) {
            installation in
            var run = try await CanaryRun(installation)
            let daemon = try await installation.startReadyDaemon(run.settings, file: "log: {level: trace}\n")
            try run.note("cmdline", try String(contentsOfFile: "/proc/\(daemon.pid)/cmdline", encoding: .utf8))
            let follower = try follow(installation)
            try await meetEveryFault(installation, daemon, &run)
            try await driveTheSocket(installation, &run)
            try await useTheTool(installation, &run)
            try await scrape(installation, daemon)
            try await loseTheDatabase(installation, daemon, &run)
            try await reload(installation, daemon, &run)
            try await runTheOtherVerbs(installation, &run)
            try await run.noteDatabase()
            let end = try await installation.stop(daemon)
            #expect(end.status == 0)
            let told = try await follower.end()
            #expect(told.output.contains("event: token.refreshed") && told.output.contains("event: refresh.failed"))
            #expect(end.errors.contains("trace") && end.errors.contains("token published"), "silence proves nothing")
            let found = try await run.search()
            #expect(found.isEmpty, "\(found.joined(separator: "\n"))")
            #expect(run.canaries.values.count > Self.cases.count, "every account's tokens are looked for")
            try await expectThatTheSearchFinds(run)
        }
    }

    /// All events from the first to the last; what it prints is searched as well.
    private func follow(_ installation: Installation) throws -> RunningProgram {
        try RunningProgram(
            "/usr/bin/curl",
            [
                "-sSN", "-H", "Last-Event-ID: 0-0", "--unix-socket", installation.socket, "http://localhost/v1/events",
            ],
            in: installation.folder
        )
    }

    /// The metrics as a scraper gets them over TCP; they are searched as well.
    private func scrape(_ installation: Installation, _ daemon: RunningProgram) async throws {
        let place = try #require(daemon.errors.firstMatch(of: /metrics\.listen[="': ]+(127\.0\.0\.1:[1-9][0-9]*)/)).1
        let curl = ["-sSf", "http://\(place)/metrics"]
        let end = try await RunningProgram.run("/usr/bin/curl", curl, in: installation.folder)
        #expect(end.output.contains("tastytokend_accounts"), "\(end.errors)")
    }

    /// Every fault of the simulator, each at an account of its own, and then those that strike everybody.
    private func meetEveryFault(
        _ installation: Installation,
        _ daemon: RunningProgram,
        _ run: inout CanaryRun
    ) async throws {
        let simulator = installation.simulator
        for (index, fault) in Self.cases.enumerated() {
            for mode in fault.modes { simulator.set(Fault(mode), for: .account("\(index + 1)")) }
        }
        // What the simulator never says of itself: our own secret, echoed.
        let body = #"{"error_code":"invalid_request","error_description":"bad secret \#(installation.secret)"}"#
        let echo = "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n\(body)"
        simulator.set(Fault(.raw(Array(echo.utf8), closes: true)), for: .account("1"))
        let before = simulator.accountCounts
        try await eventually(within: 90, "every account has met its fault") {
            let after = simulator.accountCounts
            return (1...Self.cases.count).allSatisfy { user in
                (after["\(user)"]?.requests ?? 0) > (before["\(user)"]?.requests ?? 0)
            }
        }
        try await run.noteActivity()
        simulator.clearFaults()
        for fault in [Fault(.outage(.unavailable)), Fault(.outage(.reset)), Fault(.certificate(.allCases[0]))] {
            let failed = daemon.errors.ranges(of: "refresh failed").count
            simulator.set(fault)
            try await eventually("\(fault) is felt") {
                daemon.errors.ranges(of: "refresh failed").count > failed + 20
            }
            simulator.clearFaults()
        }
        simulator.set(Fault(.rotation(.silent)))
        let issued = simulator.counts.count(.issued)
        try await eventually("refreshes go on, with new refresh tokens") {
            simulator.counts.count(.issued) > issued + 50
        }
    }

    /// Every path of the description with every method, good and bad, and what is no request at all.
    private func driveTheSocket(_ installation: Installation, _ run: inout CanaryRun) async throws {
        let callers = run.canaries.make("call")
        let socket = installation.socket
        var requests: [String] = []
        for path in try Self.paths() {
            for (user, query) in [
                ("1", ""), ("2", "?max_wait=0"), ("nobody", "?limit=0"), ("%zz", "?status=x&after=-1"),
            ] {
                let target = path.replacing("{user}", with: user) + query
                for method in ["GET", "POST", "PUT", "DELETE"] {
                    requests.append(
                        "\(method) \(target) HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(callers)\r\nCookie: t=\(callers)\r\n"
                            + "Connection: close\r\nContent-Length: \(callers.utf8.count)\r\n\r\n\(callers)"
                    )
                }
            }
        }
        requests += [
            "\(callers)\r\n\r\n", "GET / HTTP/1.1\r\nX-\(callers): 1\r\n\r\n", "GET /\(callers) HTTP/9\r\n\r\n",
        ]
        let all = requests
        let replies = try await onThread {
            try all.map { request in
                var probe = try SocketProbe(at: socket)
                let reply = try probe.exchange(request)
                let isToken = reply.status == 200 && reply.body.contains("access_token")
                return isToken ? reply.head : reply.head + reply.body
            }
        }
        #expect(replies.count > 100)
        try run.note("replies", replies.joined(separator: "\n"))
        try await run.noteActivity()
    }

    /// The paths of docs/openapi.yaml, which tests of their own hold against the code.
    private static func paths() throws -> [String] {
        let root = (0..<3).reduce(URL(filePath: #filePath)) { url, _ in url.deletingLastPathComponent() }
        let text = try String(contentsOf: root.appending(path: "docs/openapi.yaml"), encoding: .utf8)
        let paths = text.split(separator: "\n").filter { $0.hasPrefix("  /") }
            .map { $0.trimmingCharacters(in: .whitespaces).replacing(":", with: "") }
        try #require(paths.count >= 9)
        return paths
    }

    /// Every command. Those that are asked for a token may print it, and say nothing of it beside.
    private func useTheTool(_ installation: Installation, _ run: inout CanaryRun) async throws {
        // One without a fault of its own.
        let well = try #require(Self.cases.indices.dropFirst().first { Self.cases[$0].modes.isEmpty }) + 1
        let path = "/v1/users/\(well)/token?min_ttl=4"
        try await eventually("user \(well) has a token") {
            try SocketProbe.get(path, at: installation.socket).status == 200
        }
        for arguments in [["token"], ["token", "--json"], ["header"]] { try await run.asked(arguments + ["\(well)"]) }
        try await run.asked(["exec", "\(well)", "--", "env"])
        try await run.watched(["watch", "\(well)"])
        for arguments in [
            ["status"], ["status", "--json"], ["status", "\(well)"], ["status", "1", "--json"], ["explain", "1"],
            ["explain", "5", "--json"], ["refresh", "\(well)"], ["refresh", "1"], ["token", "nobody"],
            ["explain", "nobody"],
            ["frob"],
            ["token"], ["--help"],
        ] {
            _ = try await installation.tastytoken(arguments)
        }
    }

    /// A database that breaks, and a login that is taken away.
    private func loseTheDatabase(
        _ installation: Installation,
        _ daemon: RunningProgram,
        _ run: inout CanaryRun
    )
        async throws
    {
        let postgres = installation.postgres
        try await run.collect()
        try await postgres.stop(mode: .immediate)
        try await eventually("the database is missed") { daemon.errors.contains("could not be") }
        for user in 1...6 { _ = try? SocketProbe.get("/v1/users/\(user)/token?max_wait=0", at: installation.socket) }
        try await postgres.start()
        try await postgres.execute(
            "ALTER ROLE canary NOLOGIN; SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'canary'"
        )
        try await eventually("the login is refused") { daemon.errors.contains("The database refuses the login") }
        try await postgres.execute("ALTER ROLE canary LOGIN")
        let issued = installation.simulator.counts.count(.issued)
        try await eventually("refreshes go on") { installation.simulator.counts.count(.issued) > issued + 50 }
        try await run.noteActivity()
    }

    /// A good file, and files with a secret where there is a mistake.
    private func reload(_ installation: Installation, _ daemon: RunningProgram, _ run: inout CanaryRun) async throws {
        let path = "\(installation.folder)/config.yaml"
        for text in ["log: {level: trace}\nrefresh: {maxPerSecond: 999}\n"] + run.badFiles() {
            try text.write(toFile: path, atomically: true, encoding: .utf8)
            let told = daemon.errors.ranges(of: "reloaded").count
            daemon.signal(SIGHUP)
            try await eventually("it was read: \(text)") { daemon.errors.ranges(of: "reloaded").count > told }
        }
    }

    /// The other verbs with what the daemon has, with bad files and bad logins, and wrong command lines.
    private func runTheOtherVerbs(_ installation: Installation, _ run: inout CanaryRun) async throws {
        let path = "\(installation.folder)/config.yaml"
        let bare = ["DATABASE_URL", "TASTYTRADE_CLIENT_SECRET"]
        for text in run.badFiles() {
            try text.write(toFile: path, atomically: true, encoding: .utf8)
            for arguments in [["check"], ["check", "--json"], ["migrate", "--print"], ["run"]] {
                let rest = arguments.dropFirst() + ["--config", path]
                let end = try await installation.tastytokend(arguments[0], arguments: Array(rest), without: bare)
                #expect(end.status != 0, "\(text)")
            }
        }
        let password = run.canaries.make("badp")
        let encoded = try #require(password.addingPercentEncoding(withAllowedCharacters: .alphanumerics))
        for url in [
            "postgresql://u:\(encoded)@127.0.0.1:1/d", "postgresql://u:\(password)@h@127.0.0.1/d",
            "host=x password='\(password)",
            installation.postgres.url(user: "nobody_at_all") + "&password=\(encoded)",
        ] {
            for verb in ["check", "migrate"] { _ = try await installation.tastytokend(verb, ["DATABASE_URL": url]) }
        }
        for arguments in [["--json"], []] {
            #expect(try await installation.tastytokend("check", run.settings, arguments: arguments).status == 0)
        }
        #expect(try await installation.tastytokend("migrate", run.settings, arguments: ["--print"]).status == 0)
        for arguments in [["--client-secret=\(password)"], ["--database-url=\(password)"]] {
            #expect(try await installation.tastytokend("run", arguments: arguments).status == 64)
            #expect(try await installation.tastytoken(["token", "1"] + arguments).status == 64)
        }
    }

    /// The search is worth something only if it finds what is there.
    private func expectThatTheSearchFinds(_ run: CanaryRun) async throws {
        for value in run.canaries.values.sorted().prefix(3) {
            for form in [
                value, String(value.prefix(14)), Data("user:\(value)".utf8).base64EncodedString(),
                Data("u:\(value)".utf8).base64EncodedString(), value.utf8.map { String(format: "%02x", $0) }.joined(),
            ] {
                try run.note("proof", "some text \(form) and more")
                #expect(try await !run.search().isEmpty, "\(form)")
            }
        }
        try run.note("proof", "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiIxIn0.x")
        #expect(try await !run.search().isEmpty)
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Glibc

/// Measures reads of tokens over the Unix socket beside other servers, in turns, and prints a table of all and the ratios:
///
/// - `loadgen SOCKET REDIS-SOCKET BARE-SOCKET [SECONDS [ROUNDS [sticky]]]`: beside Redis and beside a bare loop that
///   always gives one reply;
/// - `loadgen oidc-agent SOCKET AGENT-SOCKET ACCOUNT [SECONDS [ROUNDS]]`: beside oidc-agent, which takes one request a
///   connection; ours is measured with connections kept, and with one a request;
/// - `loadgen alone SOCKET [SECONDS]`: prints median and p99 of one caller, in microseconds, and nothing else;
/// - `loadgen hostile MANNER SOCKET`: measures nothing, and is what such a caller is measured beside (`run-hostile`).
@main
enum LoadGenerator {
    private static let keys = 1000
    private static let usage = """
        usage: loadgen SOCKET REDIS-SOCKET BARE-SOCKET [SECONDS [ROUNDS [sticky]]]
               loadgen oidc-agent SOCKET AGENT-SOCKET ACCOUNT [SECONDS [ROUNDS]]
               loadgen alone SOCKET [SECONDS]
               loadgen hostile \(HostileCaller.Manner.allCases.map(\.rawValue).joined(separator: "|")) SOCKET
        """

    static func main() {
        let arguments = CommandLine.arguments
        do {
            if arguments.count >= 3, arguments[1] == "alone" {
                try measureAlone(arguments)
            } else if arguments.count == 4, arguments[1] == "hostile",
                let manner = HostileCaller.Manner(rawValue: arguments[2])
            {
                try HostileCaller(manner: manner, path: arguments[3]).run()
            } else if arguments.count >= 5, arguments[1] == "oidc-agent" {
                try comparisonWithAgent(arguments).run()
            } else if arguments.count >= 4 {
                try comparisonWithRedis(arguments).run()
            } else {
                fail(usage, status: 64)
            }
        } catch {
            fail("loadgen: \(error)", status: 69)
        }
    }

    private static func comparisonWithRedis(_ arguments: [String]) throws -> Comparison {
        let (http, redis, bare) = (arguments[1], arguments[2], arguments[3])
        try Server.copy(from: http, to: redis, keys: keys)
        return Comparison(
            entrants: [
                ("tastytokend", try Server(.http, at: http, keys: keys)),
                ("Redis", try Server(.redis, at: redis, keys: keys)),
                ("bare loop", try Server(.http, at: bare, keys: keys)),
            ],
            ratios: [("ours : Redis", 0, 1), ("ours : bare loop", 0, 2)],
            connections: [8, 64, 512],
            seconds: number(4, of: arguments) ?? 3,
            rounds: Int(number(5, of: arguments) ?? 3),
            sticky: arguments.contains("sticky")
        )
    }

    private static func comparisonWithAgent(_ arguments: [String]) throws -> Comparison {
        let (http, agent, account) = (arguments[2], arguments[3], arguments[4])
        return Comparison(
            entrants: [
                ("tastytokend, connections kept", try Server(.http, at: http, keys: keys)),
                ("tastytokend, one a request", try Server(.http, at: http, keys: keys, connectingAnew: true)),
                ("oidc-agent, one a request", try Server(.agent(account: account), at: agent, keys: 1)),
            ],
            ratios: [("kept : oidc-agent", 0, 2), ("one a request : oidc-agent", 1, 2)],
            connections: [1, 8, 64],
            seconds: number(5, of: arguments) ?? 3,
            rounds: Int(number(6, of: arguments) ?? 3),
            sticky: false
        )
    }

    /// Where the server hangs up or falls silent for a second there is no figure, and the exit status says so.
    private static func measureAlone(_ arguments: [String]) throws {
        var load = try Load(try Server(.http, at: arguments[2], keys: keys), connections: 1, sticky: false)
        let result = try load.run(seconds: number(3, of: arguments) ?? 3)
        print("\(result.median) \(result.p99)")
    }

    private static func fail(_ words: String, status: Int32) -> Never {
        let line = Array((words + "\n").utf8)
        _ = write(STDERR_FILENO, line, line.count)
        exit(status)
    }

    private static func number(_ index: Int, of arguments: [String]) -> Double? {
        arguments.indices.contains(index) ? Double(arguments[index]) : nil
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Glibc

/// Measures reads of tokens over the Unix socket beside Redis and beside a bare loop that always gives one reply, in
/// turns, and prints a table of all and the ratios: `loadgen SOCKET REDIS-SOCKET BARE-SOCKET [SECONDS [ROUNDS [sticky]]]`.
@main
enum LoadGenerator {
    private static let keys = 1000

    static func main() {
        let arguments = CommandLine.arguments
        guard arguments.count >= 4 else {
            fail("usage: loadgen SOCKET REDIS-SOCKET BARE-SOCKET [SECONDS [ROUNDS [sticky]]]", status: 64)
        }
        do {
            try compare(
                http: arguments[1],
                redis: arguments[2],
                bare: arguments[3],
                seconds: number(4, of: arguments) ?? 3,
                rounds: Int(number(5, of: arguments) ?? 3),
                sticky: arguments.contains("sticky")
            )
        } catch {
            fail("loadgen: \(error)", status: 69)
        }
    }

    private static func fail(_ words: String, status: Int32) -> Never {
        let line = Array((words + "\n").utf8)
        _ = write(STDERR_FILENO, line, line.count)
        exit(status)
    }

    private static func number(_ index: Int, of arguments: [String]) -> Double? {
        arguments.indices.contains(index) ? Double(arguments[index]) : nil
    }

    private static func compare(
        http: String,
        redis: String,
        bare: String,
        seconds: Double,
        rounds: Int,
        sticky: Bool
    ) throws {
        try Server.copy(from: http, to: redis, keys: keys)
        let servers = [
            try Server(.http, at: http, keys: keys), try Server(.redis, at: redis, keys: keys),
            try Server(.http, at: bare, keys: keys),
        ]
        print("| connections | server | requests/s | processor µs a request | median µs | p99 µs |")
        print("| ---: | --- | ---: | ---: | ---: | ---: |")
        for connections in [8, 64, 512] {
            var results = [[Load.Result]](repeating: [], count: servers.count)
            // Taking turns, a noisy machine is as noisy to one as to the other.
            for _ in 0..<rounds {
                for (index, server) in servers.enumerated() {
                    var load = try Load(server, connections: connections, sticky: sticky)
                    results[index].append(try load.run(seconds: seconds))
                }
            }
            report(connections, results.map(middle))
        }
    }

    /// The result whose rate is the middle one of all.
    private static func middle(_ results: [Load.Result]) -> Load.Result {
        results.sorted { $0.rate < $1.rate }[results.count / 2]
    }

    private static func report(_ connections: Int, _ results: [Load.Result]) {
        for (name, result) in zip(["tastytokend", "Redis", "bare loop"], results) {
            print(
                "| \(connections) | \(name) | \(Int(result.rate)) | \(hundredths(result.processorTime))"
                    + " | \(tenths(result.median)) | \(tenths(result.p99)) |"
            )
        }
        let ours = results[0]
        for (name, theirs) in zip(["ours : Redis", "ours : bare loop"], results.dropFirst()) {
            print(
                "| \(connections) | \(name) | \(hundredths(ours.rate / theirs.rate))"
                    + " | \(hundredths(ours.processorTime / theirs.processorTime))"
                    + " | \(hundredths(ours.median / theirs.median)) | \(hundredths(ours.p99 / theirs.p99)) |"
            )
        }
        fflush(nil)
    }

    private static func tenths(_ value: Double) -> Double { (value * 10).rounded() / 10 }

    private static func hundredths(_ value: Double) -> Double { (value * 100).rounded() / 100 }
}

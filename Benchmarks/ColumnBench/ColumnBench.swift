// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Glibc
import TokenCipher
import TokenCore

/// Seals and opens columns on one thread and prints how many a second: `column-bench [VALUES [ROUNDS]]`. Each figure is of the
/// middle one of the rounds and, in brackets, of the best, by the thread's processor time.
@main
enum ColumnBench {
    static func main() throws {
        let numbers = CommandLine.arguments.dropFirst().compactMap(Int.init)
        let count = numbers.first ?? 100_000
        let rounds = numbers.dropFirst().first ?? 5
        let secrets = (0..<count).map(secret)
        let keys = try KeyGenerator { count in (0..<count).map { UInt8(truncatingIfNeeded: $0) } }.addKey().set
        let rails = RailsSettings(primaryKeys: [Secret("bench")], keyDerivationSalt: Secret("bench"))
        print("tokens of \(secret(0).reveal().utf8.count) bytes, \(count) values, the middle (best) of \(rounds) rounds, values/s")
        try measure("none", ClearColumns(), secrets, rounds)
        try measure("jwe", JWEColumns(try JWEKeySet(keys)), secrets, rounds)
        try measure("rails", RailsColumns(try RailsKeys(rails)), secrets, rounds)
    }

    /// A token as long as a real one, whose characters are as varied.
    private static func secret(_ number: Int) -> Secret {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
        var state = UInt64(truncatingIfNeeded: number) &* 0x9E37_79B9_7F4A_7C15 | 1
        let body = (0..<608).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1
            return alphabet[Int(state >> 58)]
        }
        return Secret("eyJhbGciOiJFZERTQSJ9." + String(decoding: body, as: UTF8.self) + ".")
    }

    private static func measure(
        _ name: String,
        _ columns: some ColumnSealing,
        _ secrets: [Secret],
        _ rounds: Int
    ) throws {
        let places = secrets.indices.map { ColumnPlace(.accessToken, of: UserID(String($0)), in: .production) }
        var stored: [String] = []
        let sealing = try rate(secrets.count, rounds) {
            stored = []
            stored.reserveCapacity(secrets.count)
            for index in secrets.indices { stored.append(try columns.seal(secrets[index], at: places[index])) }
        }
        let opening = try rate(secrets.count, rounds) {
            for index in stored.indices where columns.open(stored[index], at: places[index]).secret == nil {
                throw BenchFailure.didNotOpen
            }
        }
        print("\(name): seal \(sealing), open \(opening), stored \(stored.first?.utf8.count ?? 0) bytes")
    }

    private static func rate(_ count: Int, _ rounds: Int, _ body: () throws -> Void) rethrows -> String {
        let rates = try (0..<max(rounds, 1)).map { _ in
            let start = processorTime()
            try body()
            return Int(Double(count) / (processorTime() - start))
        }
        return "\(rates.sorted()[rates.count / 2]) (\(rates.max() ?? 0))"
    }

    /// Seconds of this thread.
    private static func processorTime() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}

private enum BenchFailure: Error {
    case didNotOpen
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Glibc

/// Servers that are measured in turns, so that a noisy machine is as noisy to one as to the other.
struct Comparison {
    /// The servers and what they are called.
    let entrants: [(name: String, server: Server)]
    /// Which of them are set against each other, by their places.
    let ratios: [(name: String, ours: Int, theirs: Int)]
    /// Numbers of connections, measured one after the other.
    let connections: [Int]
    /// How long one measurement takes.
    let seconds: Double
    /// Measurements of each, of which the middle one counts.
    let rounds: Int
    /// Whether each connection asks for one key only.
    let sticky: Bool

    /// Measures, and prints a table.
    func run() throws {
        print("| connections | server | requests/s | processor µs a request | median µs | p99 µs |")
        print("| ---: | --- | ---: | ---: | ---: | ---: |")
        for number in connections {
            var results = [[Load.Result]](repeating: [], count: entrants.count)
            for _ in 0..<rounds {
                for (index, entrant) in entrants.enumerated() {
                    var load = try Load(entrant.server, connections: number, sticky: sticky)
                    results[index].append(try load.run(seconds: seconds))
                }
            }
            report(number, results.map(middle))
        }
    }

    /// The result whose rate is the middle one of all.
    private func middle(_ results: [Load.Result]) -> Load.Result {
        results.sorted { $0.rate < $1.rate }[results.count / 2]
    }

    private func report(_ connections: Int, _ results: [Load.Result]) {
        for (entrant, result) in zip(entrants, results) {
            print(
                "| \(connections) | \(entrant.name) | \(Int(result.rate)) | \(hundredths(result.processorTime))"
                    + " | \(tenths(result.median)) | \(tenths(result.p99)) |"
            )
        }
        for ratio in ratios {
            let (ours, theirs) = (results[ratio.ours], results[ratio.theirs])
            print(
                "| \(connections) | \(ratio.name) | \(hundredths(ours.rate / theirs.rate))"
                    + " | \(hundredths(ours.processorTime / theirs.processorTime))"
                    + " | \(hundredths(ours.median / theirs.median)) | \(hundredths(ours.p99 / theirs.p99)) |"
            )
        }
        fflush(nil)
    }

    private func tenths(_ value: Double) -> Double { (value * 10).rounded() / 10 }

    private func hundredths(_ value: Double) -> Double { (value * 100).rounded() / 100 }
}

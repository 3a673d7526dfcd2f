// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import ArgumentParser
import FoundationEssentials
import Testing

@testable import TokenSimulator
@testable import tastysim

/// docs/simulator.md and `--help` against the code: each mode and kind is in both, and no other.
@Suite(.timeLimit(.minutes(2))) struct SimulatorDocumentTests {
    /// What stands below each heading of the third level, by the heading.
    private static func sections() throws -> [String: [Substring]] {
        var root = URL(filePath: #filePath)
        for _ in 0..<3 { root.deleteLastPathComponent() }
        let text = try String(contentsOf: root.appending(path: "docs/simulator.md"), encoding: .utf8)
        var sections: [String: [Substring]] = [:]
        var heading = ""
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("#") { heading = String(line.drop { $0 == "#" }.dropFirst()) }
            sections[heading, default: []].append(line)
        }
        return sections
    }

    /// The names in backquotes in the first column of a section's table.
    private static func table(_ lines: [Substring]?) -> Set<String> {
        Set((lines ?? []).filter { $0.hasPrefix("| `") }.map { String($0.dropFirst(3).prefix { $0 != "`" }) })
    }

    /// The faults that a section sets.
    private static func orders(_ lines: [Substring]) -> [String] {
        lines.filter { $0.contains("/_sim/faults -d '") }.compactMap { line in
            line.split(separator: "'").first { $0.hasPrefix("{") }.map(String.init)
        }
    }

    @Test func everyModeHasASectionAndEverySectionIsAMode() throws {
        let sections = try Self.sections()
        let headings = Set(
            sections.keys.filter { $0.hasPrefix("`") }.map { $0.split(separator: "`")[0] }.map(String.init)
        )
        #expect(headings == Set(FaultName.allCases.map(\.rawValue)))
    }

    @Test func everyExampleIsTakenAndEveryModeHasOneOfItsOwn() async throws {
        let sections = try Self.sections()
        try await Caller.with { caller in
            for mode in FaultName.allCases {
                let orders = Self.orders(sections["`\(mode.rawValue)`"] ?? [])
                #expect(!orders.isEmpty, "\(mode)")
                for order in orders {
                    #expect(order.contains(#""mode":"\#(mode.rawValue)""#), "\(order) stands below \(mode)")
                    let reply = try await caller.control("POST", "faults", order)
                    #expect(reply.status == 204, "\(order): \(reply.text)")
                    caller.simulator.clearFaults()
                }
            }
        }
    }

    @Test func everyKindIsInItsTable() throws {
        let sections = try Self.sections()
        func names(_ mode: FaultName) -> Set<String> { Self.table(sections["`\(mode.rawValue)`"]) }
        #expect(names(.oddLifetime) == Set(OddLifetime.allCases.map(\.rawValue)))
        #expect(names(.malformed) == Set(Malformation.allCases.map(\.rawValue)))
        #expect(names(.variant) == Set(ReplyVariant.allCases.map(\.rawValue)))
        #expect(names(.huge) == Set(HugePart.allCases.map(\.rawValue)))
        #expect(names(.flaky) == Set(Flakiness.Kind.allCases.map(\.rawValue)))
        #expect(names(.refusal) == Set(RefusalShape.allCases.map(\.rawValue)))
        #expect(names(.errorPage) == Set(ErrorPage.Body.allCases.map(\.rawValue)))
        #expect(names(.outage) == Set(OutageStyle.allCases.map(\.rawValue)))
        #expect(names(.certificate) == Set(OddCertificate.allCases.map(\.rawValue)))
        #expect(names(.sameToken) == Set(Repetition.allCases.map(\.rawValue)))
        #expect(names(.rotation) == ["strict", "grace", "silent"])
    }

    @Test func everyOutcomeCountAndUsualErrorCodeIsNamed() throws {
        let sections = try Self.sections()
        #expect(Self.table(sections["Outcomes"]) == Set(RequestOutcome.allCases.map(\.rawValue)))
        let counts = (sections["Counts"] ?? []).joined(separator: "\n")
        for label in Mirror(reflecting: SimulatorCounts()).children.compactMap(\.label) {
            let snake = label.reduce(into: "") { $0 += $1.isUppercase ? "_" + $1.lowercased() : String($1) }
            #expect(counts.contains("`\(snake)`"), "\(snake)")
        }
        for label in Mirror(reflecting: AccountCounts()).children.compactMap(\.label) {
            let snake = label.reduce(into: "") { $0 += $1.isUppercase ? "_" + $1.lowercased() : String($1) }
            #expect(counts.contains("`\(snake)`"), "\(snake)")
        }
        let refusal = (sections["`refusal`"] ?? []).joined(separator: "\n")
        for code in RefusalText.codes { #expect(refusal.contains("`\(code)`"), "\(code)") }
    }

    @Test func everyOptionIsNamed() throws {
        let text = try Self.sections().values.joined().joined(separator: "\n")
        let help = Tastysim.helpMessage(for: Serve.self)
        let options = help.split(whereSeparator: { " \n,".contains($0) }).filter { $0.hasPrefix("--") }
        #expect(options.count > 10)
        for option in options { #expect(text.contains(option.prefix { !"/)".contains($0) }), "\(option)") }
    }

    @Test func helpListsTheModesAndPointsToTheDocument() {
        for help in [Tastysim.helpMessage(), Tastysim.helpMessage(for: Serve.self)] {
            for mode in FaultName.allCases { #expect(help.contains("  \(mode.rawValue) "), "\(mode)") }
            #expect(help.contains("docs/simulator.md"))
        }
    }

    @Test func faultsOnTheCommandLineAreRead() throws {
        let words = ["--fault", "rotation", "--fault", #"{"mode":"hang","user":"42"}"#, "--random-seed", "7"]
        let serve = try Serve.parse(words)
        #expect(serve.faults.map(\.fault) == [Fault(.rotation(.strict)), Fault(.hang(.before))])
        #expect(serve.faults.map(\.scope) == [.all, .account("42")])
        #expect(serve.randomSeed == 7)
    }

    @Test(arguments: [
        ["--fault", "odd"], ["--fault", #"{"mode":"malformed"}"#], ["--kept-requests", "0"], ["--port", "x"],
    ])
    func aMistakeOnTheCommandLineIsAUsageError(words: [String]) {
        let error = #expect(throws: (any Error).self) { try Serve.parse(words) }
        if let error { #expect(Serve.exitCode(for: error).rawValue == 64) }
    }
}

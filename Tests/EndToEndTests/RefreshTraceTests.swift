// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import TestSupport
import Testing

/// One refresh of one account, followed through the built daemon's log among those of others.
@Suite(.serialized, .timeLimit(.minutes(3))) struct RefreshTraceTests {
    private static let steps = [
        "account claimed", "refresh begun", "refresh answered", "token stored", "token published",
    ]

    private struct Step: Equatable {
        let message: String
        let attempt: String
    }

    /// What a log says of an account's attempts, in its order.
    private func steps(of user: String, in log: String, format: String) throws -> [Step] {
        try log.split(separator: "\n").compactMap { line in
            format == "json" ? try object(line, user) : try text(String(line), user)
        }
    }

    private func object(_ line: Substring, _ user: String) throws -> Step? {
        guard let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any],
            object["user.id"] as? String == user, let attempt = object["refresh.attempt"] as? Int
        else { return nil }
        #expect(object["level"] as? String == "debug")
        return Step(message: try #require(object["message"] as? String), attempt: "\(attempt)")
    }

    private func text(_ line: String, _ user: String) throws -> Step? {
        let words = line.split(separator: " ").map(String.init)
        guard words.contains("user.id=\(user)"), let attempt = words.first(where: { $0.hasPrefix("refresh.attempt=") })
        else { return nil }
        #expect(words[1] == "debug")
        let message = words.dropFirst(3).prefix { !$0.contains("=") }.joined(separator: " ")
        return Step(message: message, attempt: String(attempt.dropFirst("refresh.attempt=".count)))
    }

    @Test(arguments: ["text", "json"]) func itsStepsNameTheAccountAndTheAttempt(format: String) async throws {
        try await Installation.with(accounts: 5, settings: ["LOG_LEVEL": "debug", "LOG_FORMAT": format]) {
            installation in
            let daemon = try await installation.startReadyDaemon()
            _ = try await installation.allTokens(1...5)
            // Not within five seconds of the last.
            try await eventually("another is ordered") { try await installation.tastytoken("refresh", "3").status == 0 }
            let end = try await installation.stop(daemon)
            let all = try steps(of: "3", in: end.errors, format: format)
            let attempts = Set(all.map(\.attempt))
            #expect(attempts.count == 2, "one at the start, one that was ordered")
            for attempt in attempts {
                #expect(all.filter { $0.attempt == attempt }.map(\.message) == Self.steps, "\(all)")
            }
            for user in ["1", "2", "4", "5"] {
                let others = try steps(of: user, in: end.errors, format: format)
                #expect(others.map(\.message) == Self.steps && attempts.isDisjoint(with: others.map(\.attempt)))
            }
        }
    }
}

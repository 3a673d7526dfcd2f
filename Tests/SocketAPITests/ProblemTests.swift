// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import SocketAPI
import Testing

@Suite struct ProblemTests {
    /// The contract's tables, as numbers.
    @Test(arguments: [
        ("bad_request", 400), ("forbidden", 403), ("unknown_user", 404), ("not_found", 404),
        ("method_not_allowed", 405),
        ("stale_token", 412), ("invalid_state", 410), ("grant_refused", 422), ("no_sealing_key", 409),
        ("request_too_large", 413), ("too_many_refreshes", 429), ("overloaded", 503), ("refresh_timeout", 504),
        ("token_unavailable", 503), ("reauthorization_required", 409), ("unknown_outcome", 409),
        ("unreadable_grant", 409),
        ("no_grant", 409),
    ])
    func everyCodeHasItsStatus(code: String, status: Int) throws {
        #expect(try #require(ProblemCode(rawValue: code)).status == status)
    }

    @Test func noCodeIsMissingFromTheTable() {
        #expect(ProblemCode.allCases.count == 18)
    }

    @Test func aProblemIsReadAsItIsWritten() throws {
        let problem = Problem(.requestTooLarge, status: 431, detail: "a \"b\"\n\u{1}é")
        #expect(try JSONDecoder().decode(Problem.self, from: Data(problem.json)) == problem)
        #expect(
            String(decoding: problem.json, as: UTF8.self).hasPrefix(
                #"{"type":"about:blank","code":"request_too_large""#
            )
        )
    }

    @Test(
        arguments: [
            (200, nil, ToolExit.done), (404, "unknown_user", .unknownUser), (404, "not_found", .noDaemon),
            (404, nil, .noDaemon),
            (403, "forbidden", .notAllowed), (409, "reauthorization_required", .grantNeedsPerson),
            (409, "no_grant", .grantNeedsPerson),
            (503, "token_unavailable", .tryLater), (504, "refresh_timeout", .tryLater),
            (429, "too_many_refreshes", .tryLater),
            (500, nil, .tryLater), (400, "bad_request", .usage), (405, "method_not_allowed", .noDaemon),
        ] as [(Int, String?, ToolExit)]
    )
    func everyRefusalHasItsExitStatus(status: Int, code: String?, exit: ToolExit) {
        #expect(ToolExit(httpStatus: status, code: code) == exit)
    }

    @Test func aStatusIsReadAsItIsWritten() throws {
        let status = StatusReply(
            user: "4\"2",
            status: "degraded",
            environment: "sandbox",
            client: "default",
            expiresAtMicroseconds: 1_767_225_600_000_000,
            lastRefreshedAtMicroseconds: nil,
            nextRefreshAtMicroseconds: 1_767_225_600_500_000,
            consecutiveFailures: 3,
            lastError: "line\nbreak"
        )
        #expect(try JSONDecoder().decode(StatusReply.self, from: Data(status.json)) == status)
        #expect(status.nextRefreshAt == "2026-01-01T00:00:00.500000Z")
    }
}

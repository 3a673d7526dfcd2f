// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import Testing

/// `/metrics` of the daemon as it was built: every name that others may build on is there, and says what happened.
@Suite(.serialized, .timeLimit(.minutes(5))) struct MetricsTests {
    private let families = [
        "process_max_fds": "gauge", "process_open_fds": "gauge", "process_resident_memory_bytes": "gauge",
        "process_start_time_seconds": "gauge",
        "tastytokend_accept_pauses_total": "counter", "tastytokend_accounts": "gauge",
        "tastytokend_build_info": "gauge", "tastytokend_capacity_accounts": "gauge",
        "tastytokend_breaker_open": "gauge", "tastytokend_journal_entries": "gauge",
        "tastytokend_connections_refused_total": "counter",
        "tastytokend_refresh_duration_seconds": "histogram", "tastytokend_refresh_lateness_seconds": "histogram",
        "tastytokend_refreshes_total": "counter", "tastytokend_requests_total": "counter",
        "tastytokend_token_remaining_seconds": "histogram", "tastytokend_token_remaining_seconds_min": "gauge",
    ]

    private func value(_ series: String, in text: String) -> Double? {
        let line = text.split(separator: "\n").first { $0.hasPrefix(series + " ") }
        return line.flatMap { Double($0.dropFirst(series.count + 1)) }
    }

    @Test func everyPromisedNameIsThereAndSaysWhatHappened() async throws {
        try await Installation.with(accounts: 3) { installation in
            let daemon = try await installation.startReadyDaemon()
            _ = try await installation.allTokens(1...3)
            let socket = installation.socket
            let replies = try await onThread {
                var probe = try SocketProbe(at: socket)
                return try probe.get(["/v1/users/1/token", "/v1/users/4/token", "/metrics"])
            }
            #expect(replies.map(\.status) == [200, 404, 200])
            let (head, text) = (replies[2].head, replies[2].body)
            #expect(head.contains("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"))
            let types = text.split(separator: "\n").filter { $0.hasPrefix("# TYPE ") }
                .map { $0.split(separator: " ") }.map { (String($0[2]), String($0[3])) }
            #expect(Dictionary(types) { first, _ in first } == families)
            let active = value("tastytokend_accounts{status=\"active\"}", in: text)
            let refreshing = value("tastytokend_accounts{status=\"refreshing\"}", in: text)
            #expect((active ?? 0) + (refreshing ?? 0) == 3)
            #expect(value("tastytokend_refreshes_total{outcome=\"success\"}", in: text) == 3)
            #expect(value("tastytokend_refresh_duration_seconds_count", in: text) == 3)
            #expect(value("tastytokend_refresh_lateness_seconds_count", in: text) == 3)
            #expect(try #require(value("tastytokend_token_remaining_seconds_count", in: text)) >= 4)
            #expect((800...900).contains(value("tastytokend_token_remaining_seconds_min", in: text) ?? 0))
            #expect(value("tastytokend_capacity_accounts", in: text) == 10_800)
            #expect(value("tastytokend_requests_total{code=\"404\",route=\"/v1/users/{user}/token\"}", in: text) == 1)
            #expect(try #require(value("process_resident_memory_bytes", in: text)) > 1_000_000)
            #expect(try #require(value("process_open_fds", in: text)) > 5)
            #expect(!text.contains(installation.secret))
            #expect(try await installation.stop(daemon).status == 0)
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import Synchronization
import Testing
import TokenCore

@testable import GrantStore

/// The design size (architecture.md, decision 9). Time and memory are printed, and decide nothing: the other tests run
/// in the same process.
@Suite(.timeLimit(.minutes(5))) struct MillionRowsTests {
    #if UNDER_SANITIZER
    static let count = 20_000
    #else
    static let count = 1_000_000
    #endif

    private struct Sum {
        var rows = 0
        var ids = 0
        var largestBatch = 0
        var mostMemory = 0
    }

    @Test func aMillionRowsAreLoadedWithABatchOfThemInMemory() async throws {
        let database = try await TestDatabase(setUp: TestDatabase.railsTable + "TRUNCATE users RESTART IDENTITY")
        try await database.execute(
            """
            INSERT INTO users (tastytrade_oauth_token, tastytrade_oauth_refresh_token, tastytrade_oauth_expires_at)
            SELECT 'access-' || repeat('a', 40) || n, 'refresh-' || repeat('r', 40) || n, now() + interval '1 h'
            FROM generate_series(1, \(Self.count)) n
            """
        )
        let store = database.store()
        try await store.open()
        let sum = Mutex(Sum())
        let before = Self.residentMemory()
        let clock = ContinuousClock()
        let taken = try await clock.measure {
            _ = try await store.load { batch in
                sum.withLock { sum in
                    sum.rows += batch.count
                    for row in batch { sum.ids += Int(row.user.text) ?? 0 }
                    sum.largestBatch = max(sum.largestBatch, batch.count)
                    sum.mostMemory = max(sum.mostMemory, Self.residentMemory())
                }
            }
        }
        let found = sum.withLock { $0 }
        #expect(found.rows == Self.count)
        #expect(found.ids == Self.count * (Self.count + 1) / 2)
        #expect(found.largestBatch == PostgresGrantStore.batchSize)
        let growth = (found.mostMemory - before) / 1024
        print("\(Self.count) rows loaded in \(taken); resident memory grew by \(growth) MB at most")
    }

    /// In kilobytes (proc(5), statm).
    private static func residentMemory() -> Int {
        let fields = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(separator: " ") ?? []
        return (fields.dropFirst().first.flatMap { Int($0) } ?? 0) * 4
    }
}

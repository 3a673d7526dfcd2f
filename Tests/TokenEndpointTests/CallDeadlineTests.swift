// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import NIOCore
import Testing

@testable import TokenEndpoint

/// The rule alone; what it is for is shown by the built daemon in PauseTests.
@Suite struct CallDeadlineTests {
    private let deadline = NIODeadline.uptimeNanoseconds(50_000_000_000)

    @Test(arguments: [0, 1, 99, 100] as [Int64])
    func oneThatIsFoundOnTimeHolds(_ late: Int64) {
        #expect(CallDeadline.respite(after: deadline, foundAt: deadline + .milliseconds(late)) == nil)
    }

    @Test(arguments: [101, 3000, 86_400_000] as [Int64])
    func oneThatIsFoundLateIsFollowedByAShortTime(_ late: Int64) throws {
        let found = deadline + .milliseconds(late)
        let later = try #require(CallDeadline.respite(after: deadline, foundAt: found))
        #expect(later == found + .seconds(2))
        #expect(CallDeadline.respite(after: later, foundAt: later) == nil, "once is enough for a process that runs")
    }
}

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
        #expect(CallDeadline.respite(after: deadline, foundAt: deadline + .milliseconds(late), left: 5) == nil)
    }

    @Test(arguments: [101, 3000, 86_400_000] as [Int64])
    func oneThatIsFoundLateIsFollowedByAShortTime(_ late: Int64) throws {
        let found = deadline + .milliseconds(late)
        let later = try #require(CallDeadline.respite(after: deadline, foundAt: found, left: 5))
        #expect(later == found + .seconds(2))
        #expect(
            CallDeadline.respite(after: later, foundAt: later, left: 4) == nil,
            "once is enough for a process that runs"
        )
    }

    @Test func aMachineThatIsAlwaysLateEndsItsCallsToo() {
        var deadline = deadline
        var left = CallDeadline.mostRespites
        while let later = CallDeadline.respite(after: deadline, foundAt: deadline + .seconds(1), left: left) {
            deadline = later
            left -= 1
        }
        #expect(deadline == self.deadline + .seconds(15), "five times a second late, and two seconds more")
    }
}

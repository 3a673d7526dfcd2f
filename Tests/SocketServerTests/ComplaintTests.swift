// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import Testing
import TokenCore

@testable import SocketServer

@Suite struct ComplaintTests {
    @Test func itIsDueOnceUntilAMinuteHasPassedWithoutIt() {
        var complaint = Complaint()
        let times: [Duration] = [
            .zero, .zero, .seconds(59), .seconds(100), .seconds(159), .seconds(219), .seconds(220),
        ]
        let due = times.map { complaint.isDue(at: .newYear + $0) }
        #expect(due == [true, false, false, false, false, true, false])
    }
}

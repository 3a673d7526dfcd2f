// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import Testing
import TokenCore

@testable import SocketServer

@Suite struct AcceptPauseTests {
    @Test func eachIsTwiceAsLongAsTheLastAndNoneLongerThanASecond() {
        var pause = AcceptPause()
        let lengths = (1...7).map { _ in
            pause.begin(at: .newYear)
            return pause.remaining(at: .newYear)
        }
        #expect(lengths == [50, 100, 200, 400, 800, 1000, 1000])
        pause.relax()
        pause.begin(at: .newYear)
        #expect(pause.remaining(at: .newYear) == 50)
    }

    @Test func itEndsOnceItsTimeIsUp() {
        var pause = AcceptPause()
        #expect(!pause.isOn && pause.remaining(at: .newYear) == nil)
        let ended = pause.endIfOver(at: .newYear)
        #expect(!ended, "there is none to end")
        pause.begin(at: .newYear)
        let endedEarly = pause.endIfOver(at: .newYear + .microseconds(49_001))
        #expect(!endedEarly && pause.isOn)
        #expect(
            pause.remaining(at: .newYear + .microseconds(49_001)) == 1,
            "rounded up, so that nobody comes too early"
        )
        #expect(pause.remaining(at: .newYear + .seconds(9)) == 0)
        let endedInTime = pause.endIfOver(at: .newYear + .milliseconds(50))
        #expect(endedInTime && !pause.isOn)
    }
}

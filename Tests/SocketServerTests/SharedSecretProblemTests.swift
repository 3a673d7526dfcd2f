// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import SocketAPI
import Testing
import TokenCore

@testable import SocketServer

@Suite struct SharedSecretProblemTests {
    @Test(arguments: [
        (SharedSecretFailure.noSealingKey, "no_sealing_key", 409), (.notSealed(.tooLong), "bad_request", 400),
        (.unreadable(.notAuthentic), "unreadable_grant", 409), (.inClear, "unreadable_grant", 409),
    ])
    func eachFailureHasItsCode(failure: SharedSecretFailure, code: String, status: Int) {
        let problem = Problem(failure)
        #expect((problem.code, problem.status) == (code, status))
        #expect(problem.detail == failure.description)
    }
}

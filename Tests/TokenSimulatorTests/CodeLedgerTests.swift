// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Testing

@testable import TokenSimulator

@Suite struct CodeLedgerTests {
    private let now = SimulatorInstant(nanoseconds: 1_767_225_600_250_000_000)

    private var authorization: CodeLedger.Authorization {
        CodeLedger.Authorization(
            customer: "42",
            clientID: "a",
            redirectURI: "http://b",
            scope: "read",
            expiresAt: now + .seconds(60)
        )
    }

    private func presented(
        _ code: String = "c",
        by client: String = "a",
        _ uri: String = "http://b"
    )
        -> CodeLedger.Presented
    {
        CodeLedger.Presented(code: code, clientID: client, redirectURI: uri)
    }

    private func grant(_ id: String) -> TokenMint.GrantClaims {
        TokenMint.GrantClaims(iss: "i", sub: "42", iat: 0, aud: "a", grant_id: id, scope: "read")
    }

    @Test func aCodeIsWorthWhatItWasGivenOutFor() {
        var ledger = CodeLedger()
        #expect(ledger.standing(of: presented(), at: now) == .unknown)
        ledger.issued("c", for: authorization)
        #expect(ledger.customer(of: "c") == "42")
        #expect(ledger.customer(of: "d") == nil)
        #expect(ledger.standing(of: presented(), at: now) == .good(authorization))
        #expect(ledger.standing(of: presented("d"), at: now) == .unknown)
        #expect(ledger.standing(of: presented(by: "z"), at: now) == .unknown)
        #expect(ledger.standing(of: presented("c", by: "a", "http://z"), at: now) == .otherRedirect)
        #expect(ledger.standing(of: presented(), at: now + .milliseconds(59_999)) == .good(authorization))
        #expect(ledger.standing(of: presented(), at: now + .seconds(60)) == .expired)
    }

    @Test func thatItWasUsedComesBeforeAllButAnotherClient() {
        var ledger = CodeLedger()
        ledger.issued("c", for: authorization)
        ledger.used("c", for: grant("1"))
        #expect(ledger.standing(of: presented(), at: now + .seconds(99)) == .used(grant("1")))
        #expect(ledger.standing(of: presented("c", by: "a", "http://z"), at: now) == .used(grant("1")))
        #expect(ledger.standing(of: presented(by: "z"), at: now) == .unknown)
    }

    @Test func theOldestAreForgotten() {
        var ledger = CodeLedger()
        for number in 0...CodeLedger.capacity { ledger.issued("\(number)", for: authorization) }
        #expect(ledger.customer(of: "0") == nil)
        #expect(ledger.customer(of: "1") == "42")
        ledger.issued("more", for: authorization)
        #expect(ledger.customer(of: "1") == nil)
        #expect(ledger.customer(of: "\(CodeLedger.capacity)") == "42")
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Testing
import TokenCore

@testable import GrantStore

@Suite struct StoreErrorTests {
    @Test(arguments: [
        ("08006", StoreFailure.Kind.unavailable), ("57P01", .unavailable), ("57P03", .unavailable),
        ("53300", .unavailable),
        ("58030", .unavailable), ("40001", .unavailable), ("40P01", .unavailable), ("25006", .unavailable),
        ("57014", .timeout), ("55P03", .timeout), ("42P01", .misconfigured), ("42501", .misconfigured),
        ("28P01", .misconfigured), ("3D000", .misconfigured), ("0A000", .misconfigured), ("23505", .refused),
        ("22001", .refused), ("P0001", .refused), ("XX000", .refused), ("", .refused),
    ]) func eachStateHasItsKind(_ sqlState: String, _ kind: StoreFailure.Kind) {
        #expect(StoreError.kind(of: sqlState) == kind)
    }

    @Test(arguments: [
        ("23514", false, StoreError.Reach.row), ("22001", false, .row), ("P0001", true, .row), ("42P01", true, .row),
        ("42P01", false, .statement), ("40001", false, .statement), ("57P01", false, .connection),
        ("XX000", false, .statement),
    ]) func aFailureReachesAsFarAsItsStateSays(_ sqlState: String, _ inFunction: Bool, _ reach: StoreError.Reach) {
        let report = ServerReport(sqlState: sqlState, message: "m", constraint: nil, isRaisedInFunction: inFunction)
        #expect(StoreError(report, statement: "s", hiding: []).reach == reach)
    }

    @Test(arguments: [
        (
            "connection to server on socket \"/x\" failed: FATAL:  28P01: no such password\nLOCATION:  f, a.c:1\n",
            "28P01", "connection to server on socket \"/x\" failed: FATAL: no such password"
        ),
        (
            "one failed: Connection refused\n\tIs it running?\nZWEI:  53300: zu viele\n", "53300",
            "one failed: Connection refused Is it running? ZWEI: zu viele"
        ),
        ("could not translate host name", nil, "could not translate host name"),
    ]) func aRefusedConnectionsStateIsReadFromItsWords(_ words: String, _ sqlState: String?, _ text: String) {
        let refusal = ConnectRefusal(words)
        #expect(refusal.sqlState == sqlState)
        #expect(refusal.text == text)
    }
}

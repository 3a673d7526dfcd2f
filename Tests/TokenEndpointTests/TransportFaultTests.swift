// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOSSL
import TestSupport
import Testing
import TokenCore

@testable import TokenEndpoint

@Suite struct TransportFaultTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let error: any Error
        let before: RefreshFailure.Kind
        let after: RefreshFailure.Kind

        init(_ error: any Error, before: RefreshFailure.Kind, after: RefreshFailure.Kind) {
            (self.error, self.before, self.after) = (error, before, after)
        }

        var testDescription: String { "\(error)" }
    }

    private struct Strange: Error {}

    @Test(arguments: [
        Case(HTTPClientError.deadlineExceeded, before: .connect, after: .timeout),
        Case(HTTPClientError.readTimeout, before: .connect, after: .timeout),
        Case(HTTPClientError.connectTimeout, before: .connect, after: .connectionLost),
        Case(HTTPClientError.tlsHandshakeTimeout, before: .connect, after: .connectionLost),
        Case(HTTPClientError.getConnectionFromPoolTimeout, before: .connect, after: .connectionLost),
        Case(HTTPClientError.remoteConnectionClosed, before: .connect, after: .connectionLost),
        Case(HTTPClientError.cancelled, before: .connect, after: .connectionLost),
        Case(HTTPClientError.alreadyShutdown, before: .connect, after: .connectionLost),
        Case(NIOSSLError.handshakeFailed(.noError), before: .tls, after: .connectionLost),
        Case(NIOSSLError.uncleanShutdown, before: .tls, after: .connectionLost),
        Case(NIOSSLExtraError.failedToValidateHostname, before: .tls, after: .connectionLost),
        Case(IOError(errnoCode: 104, reason: "read"), before: .connect, after: .connectionLost),
        Case(HTTPParserError.invalidVersion, before: .connect, after: .malformed),
        Case(HTTPParserError.invalidEOFState, before: .connect, after: .connectionLost),
        Case(ReplyTooLong(), before: .malformed, after: .malformed),
        Case(Strange(), before: .connect, after: .connectionLost),
    ])
    func theKindFollowsFromTheErrorAndWhetherTheRequestWasSent(testCase: Case) {
        for (wasSent, kind) in [(false, testCase.before), (true, testCase.after)] {
            let fault = TransportFault(testCase.error, wasSent: wasSent)
            let failure = fault.failure(for: .test, at: Moment.newYear.wall)
            #expect(failure.kind == kind)
            #expect(!failure.text.isEmpty)
        }
    }

    @Test func aLongErrorPageIsJudgedByItsStatus() {
        let fault = TransportFault(
            ReplyTooLong(),
            wasSent: true,
            bareReply: TokenReply(503, "", retryAfter: "7")
        )
        let failure = fault.failure(for: .test, at: Moment.newYear.wall)
        #expect(failure.kind == .serverFault)
        #expect(failure.retryAfter == .seconds(7))
    }
}

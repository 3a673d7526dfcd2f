// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import AsyncHTTPClient
import TestSupport
import Testing
import TokenCore

@testable import TokenEndpoint

@Suite struct TrustedClientsTests {
    /// A client that is let go without having been shut down would end the test's process besides.
    @Test func whatIsLostByTheEndItselfMakesNoOtherClient() async throws {
        let made = Mailbox<Void>()
        let clients = try TrustedClients { () throws(EndpointSetupFailure) in
            made.send(())
            return HTTPClient(eventLoopGroupProvider: .singleton)
        }
        await clients.shutdown()
        clients.renew(because: .lostReply, at: .newYear)
        #expect(made.count == 1)
        await #expect(throws: HTTPClientError.alreadyShutdown) { try await clients.withClient { _ in } }
    }
}

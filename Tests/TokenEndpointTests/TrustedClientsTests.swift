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
        clients.renew(because: .lostReply(sentAt: .newYear), at: .newYear + .seconds(30))
        #expect(made.count == 1)
        await #expect(throws: HTTPClientError.alreadyShutdown) { try await clients.withClient { _ in } }
    }

    /// How many clients were made for a story of replies and losses, the first one left out.
    private func clientsMade(_ story: (TrustedClients, Moment) -> Void) async throws -> Int {
        let made = Mailbox<Void>()
        let clients = try TrustedClients { () throws(EndpointSetupFailure) in
            made.send(())
            return HTTPClient(eventLoopGroupProvider: .singleton)
        }
        story(clients, .newYear)
        await clients.shutdown()
        return made.count - 1
    }

    @Test("H17: a server that fell silent is told from an account's own fault")
    func h17Silence() async throws {
        let silent = try await clientsMade { clients, start in
            clients.replied(at: start)
            clients.renew(because: .lostReply(sentAt: start + .seconds(1)), at: start + .seconds(31))
        }
        #expect(silent == 1)
        let others = try await clientsMade { clients, start in
            for second in 0..<60 {
                let sentAt = start + .seconds(second)
                clients.replied(at: sentAt + .milliseconds(300))
                clients.renew(because: .lostReply(sentAt: sentAt), at: sentAt + .seconds(30))
            }
        }
        #expect(others == 0, "replies came to others meanwhile")
        let broken = try await clientsMade { clients, start in
            for second in 0..<60 {
                let sentAt = start + .seconds(second)
                clients.renew(because: .lostReply(sentAt: sentAt), at: sentAt + .milliseconds(5))
                clients.replied(at: sentAt + .milliseconds(300))
            }
        }
        #expect(broken == 0, "one that breaks at once says little")
        let dead = try await clientsMade { clients, start in
            clients.replied(at: start)
            for second in 1...8 {
                let sentAt = start + .seconds(second)
                clients.renew(because: .lostReply(sentAt: sentAt), at: sentAt + .milliseconds(5))
            }
        }
        #expect(dead == 1, "many in a row say more")
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Glibc
import NIOCore
import NIOEmbedded
import TestSupport
import Testing
import TokenCore

@testable import SocketServer

/// Rules that are replaced while callers are connected. The tests are callers themselves, so the rules are of a daemon that
/// runs as somebody else.
@Suite struct AccessInForceTests {
    private let token = "/v1/users/42/token"

    private func rules(_ rights: Set<Right>?) -> AccessRules {
        AccessRules(
            ownUser: 1000,
            rights.map { [AccessRules.Rule(.user(Caller.stranger.user), for: .all, $0)] } ?? []
        )
    }

    @Test func aCopyIsCurrentUntilTheRulesAreReplaced() {
        let access = AccessInForce(rules(nil))
        let copy = access.copy
        #expect(access.isCurrent(copy))
        access.replace(with: rules([.token]))
        #expect(!access.isCurrent(copy) && access.isCurrent(access.copy))
        #expect(access.copy.rules == rules([.token]))
    }

    @Test func theShortWayJudgesWhatComesAfterAChangeByTheNewRules() throws {
        let board = BoardDouble()
        board.publish(.living(.seconds(600), text: "token"), for: UserID("42"))
        let service = try EmbeddedConnection(board: board).service
        var way = ShortWay(service)
        func taken() -> Bool { answers(&way, .stranger) }
        #expect(!taken(), "whom nothing lets in is for the general way to refuse")
        service.access.replace(with: rules([.token]))
        #expect(taken())
        service.access.replace(with: rules([.status]))
        #expect(!taken())
    }

    private func answers(_ way: inout ShortWay, _ caller: Caller) -> Bool {
        var answers = ByteBuffer()
        let request = Array("GET \(token) HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8)
        way.renewAccess()
        return request.withUnsafeBytes { way.answer($0, from: caller, at: .newYear, into: &answers) } == request.count
    }

    @Test func rulesMayBeReplacedAtAnyTimeFromAnywhere() async throws {
        try await SocketFixture.with { fixture in
            fixture.publish()
            let client = try await fixture.connect()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for round in 0..<500 {
                        fixture.server.replaceAccess(
                            with: AccessRules(ownUser: geteuid(), round.isMultiple(of: 2) ? [] : [.someoneElse])
                        )
                    }
                }
                // By turns on the short way and on the general one.
                for target in (0..<100).flatMap({ _ in [token, "\(token)?max_wait=0"] }) {
                    #expect(try await client.get(target).status == 200)
                }
                try await group.waitForAll()
            }
        }
    }

    @Test func theGeneralWayTooAndAlsoWhoWaits() throws {
        let board = BoardDouble()
        let connection = try EmbeddedConnection(board: board, caller: .stranger)
        connection.service.access.replace(with: rules([.token]))
        board.publish(.living(.seconds(600), text: "one"), for: UserID("42"))
        let first = try connection.get(token)
        #expect(first.status == 200)
        let etag = try #require(first.fields["etag"])
        try connection.send(EmbeddedConnection.request("GET", token, ["If-None-Match: \(etag)", "Prefer: wait=30"]))
        #expect(try connection.received() == "", "it waits")
        connection.service.access.replace(with: rules(nil))
        board.publish(.living(.seconds(600), text: "two"), for: UserID("42"))
        connection.loop.run()
        let refused = try RawReply(connection.received())
        #expect(refused.status == 403 && !refused.body.contains("two"))
        #expect(try connection.get(token).status == 403)
    }
}

extension AccessRules.Rule {
    fileprivate static let someoneElse = AccessRules.Rule(.user(41_001), for: .all, [.token])
}

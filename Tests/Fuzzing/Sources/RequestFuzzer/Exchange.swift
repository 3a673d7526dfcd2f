// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import NIOCore
import TestSupport
import TokenCore

@testable import SocketServer

/// One connection from its first byte to its end.
enum Exchange {
    /// May ask for tokens and for nothing else: what only the engine can tell comes from another thread, and an embedded
    /// loop has one.
    private static let caller = Caller(process: 1, user: 4242, group: 4242)
    private static let access = AccessRules(
        ownUser: 1000,
        [AccessRules.Rule(.user(4242), for: .all, [.token])]
    )

    /// What is answered to the bytes, sent at once or in two pieces, and to the end of input after them. What is still
    /// waited for then comes after its deadline.
    static func answers(to bytes: [UInt8], cutAt cut: Int?, usesShortWay: Bool) throws -> String {
        var connection = try TravellingConnection(
            board: board,
            caller: caller,
            access: access,
            usesShortWay: usesShortWay
        )
        for piece in cut.map({ [bytes[..<$0], bytes[$0...]] }) ?? [bytes[...]] where !piece.isEmpty {
            try connection.send(piece)
        }
        try connection.endInput()
        try connection.letTimePass()
        precondition(!connection.isOpen, "a connection outlived its deadlines")
        return connection.answers
    }

    /// Users in each state that the answer depends on. No exchange changes anything on it: who waits has gone by its end.
    private static let board: BoardDouble = {
        let board = BoardDouble()
        board.publish(token("forty-two", .seconds(600)), for: UserID("42"))
        board.publish(token("seven", .seconds(700)), .refused, for: UserID("7"))
        board.publish(nil, .refused, for: UserID("dead"))
        board.publish(token("short", .seconds(5)), .refused, for: UserID("short"))
        return board
    }()

    private static func token(_ text: String, _ life: Duration) -> PublishedToken {
        let client = ClientRegistration(
            name: "default",
            environment: .sandbox,
            clientID: nil,
            clientSecret: Secret("s"),
            apiURL: "https://api.cert.tastyworks.com"
        )
        let tokenLife = TokenLife(expiresAt: .newYear + life, lifetime: .seconds(900))
        return BareRenderer().render(Secret(text), type: "Bearer", life: tokenLife, for: client)
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import TokenCore

@testable import SocketServer

extension ClientRegistration {
    static let sandbox = ClientRegistration(
        name: "default",
        environment: .sandbox,
        clientID: nil,
        clientSecret: Secret("s"),
        apiURL: "https://api.cert.tastyworks.com"
    )
}

extension PublishedToken {
    /// A token that lives for so long from new year on.
    static func living(
        _ lifetime: Duration,
        of total: Duration = .seconds(900),
        text: String = "eyJhbGciOiJFZERTQSJ9.e30.c2ln"
    ) -> PublishedToken {
        TokenReplyRenderer().render(
            Secret(text),
            type: "Bearer",
            life: TokenLife(expiresAt: .newYear + lifetime, lifetime: total),
            for: .sandbox
        )
    }
}

extension BoardDouble {
    /// A board with a user in each state that the answer depends on.
    static func withUsers() -> BoardDouble {
        let board = BoardDouble()
        board.publish(.living(.seconds(600)), for: UserID("42"))
        board.publish(.living(.seconds(700), text: "seven"), .refused, for: UserID("7"))
        board.publish(nil, .refused, for: UserID("dead"))
        board.publish(.living(.seconds(5)), .refused, for: UserID("short"))
        return board
    }
}

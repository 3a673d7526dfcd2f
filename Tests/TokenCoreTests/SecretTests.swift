// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Testing
import TokenCore

@Suite struct SecretTests {
    private let planted = "canary-4f1d2c"

    @Test func noWayOfPrintingShowsTheText() {
        let secret = Secret(planted)
        var dumped = ""
        dump(secret, to: &dumped)
        let shown = [
            "\(secret)", String(describing: secret), String(reflecting: secret), dumped, "\([secret])",
            "\(Optional(secret) as Any)",
        ]
        for text in shown {
            #expect(!text.contains(planted), "\(text)")
        }
        #expect(secret.reveal() == planted)
    }

    @Test func valuesThatHoldSecretsDoNotPrintThemEither() {
        let life = TokenLife(
            sentAt: Moment(wall: .init(nanoseconds: 0), boot: .init(nanoseconds: 0)),
            lifetime: .seconds(900)
        )
        let answer = TokenAnswer(accessToken: Secret(planted), life: life, newRefreshToken: Secret(planted))
        var dumped = ""
        dump(answer, to: &dumped)
        #expect(!dumped.contains(planted))
        #expect(!"\(answer)".contains(planted))
        let client = ClientRegistration(
            name: "default",
            environment: .sandbox,
            clientID: nil,
            clientSecret: Secret(planted),
            apiURL: "http://x"
        )
        #expect(!String(reflecting: client).contains(planted))
    }

    @Test func fingerprintsFollowTheText() {
        #expect(Secret("a").fingerprint == Secret("a").fingerprint)
        #expect(Secret("a").fingerprint != Secret("b").fingerprint)
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import TokenCore

@testable import TokenEndpoint

extension ClientRegistration {
    /// A client with a planted secret.
    static func test(apiURL: String = "http://localhost", secret: String = "planted-client-secret") -> Self {
        ClientRegistration(
            name: "default",
            environment: .sandbox,
            clientID: "test-client",
            clientSecret: Secret(secret),
            apiURL: apiURL
        )
    }
}

extension TokenCall {
    /// A call with planted secrets.
    static let test = TokenCall(refreshToken: Secret("planted-refresh-token"), client: .test())
}

extension TokenReply {
    /// A reply with a text for its body.
    init(_ status: Int, _ body: String, retryAfter: String? = nil) {
        self.init(status: status, retryAfter: retryAfter, body: Array(body.utf8))
    }
}

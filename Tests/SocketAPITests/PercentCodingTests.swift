// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import SocketAPI
import Testing

@Suite struct PercentCodingTests {
    @Test(arguments: [
        ("42", "42"), ("a/b?c#d", "a%2Fb%3Fc%23d"), ("é", "%C3%A9"), ("a b+c%", "a%20b%2Bc%25"), ("-._~", "-._~"),
        ("\n", "%0A"),
        ("550e8400-e29b-41d4-a716-446655440000", "550e8400-e29b-41d4-a716-446655440000"),
    ])
    func whatIsEncodedComesBack(text: String, encoded: String) {
        #expect(PercentCoding.encode(text) == encoded)
        #expect(PercentCoding.decode(encoded) == text)
    }

    @Test(arguments: ["%", "%4", "%zz", "%4g", "a%", "%00", "%ff", "%C3", "%ED%A0%80"])
    func brokenEscapesAndWhatIsNoTextAreRefused(text: String) {
        #expect(PercentCoding.decode(text) == nil)
    }

    @Test func pathsAreMadeForClients() {
        #expect(APIPath.token(of: "a/b") == "/v1/users/a%2Fb/token")
        #expect(APIPath.token(of: "1", minimumLife: 5, maximumWait: 0) == "/v1/users/1/token?min_ttl=5&max_wait=0")
        #expect(APIPath.token(of: "1", maximumWait: 3) == "/v1/users/1/token?max_wait=3")
        #expect(APIPath.status(of: "1") == "/v1/users/1")
    }
}

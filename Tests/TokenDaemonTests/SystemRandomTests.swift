// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Testing
import TokenCore

@testable import TokenDaemon

/// What makes states, links and sessions secret.
@Suite struct SystemRandomTests {
    @Test func eachIsAnotherOf32Bytes() {
        let tokens = (0..<1000).map { _ in SystemRandom.secrets.makeToken() }
        #expect(Set(tokens).count == tokens.count)
        #expect(tokens.allSatisfy { Base64Text.url.decode(Array($0.reveal().utf8))?.count == 32 })
        // Every bit is drawn: one that always came the same would do so by chance in one of 2^1000 runs.
        let bytes = (0..<1000).map { _ in SystemRandom.bytes(32) }
        for place in 0..<32 {
            #expect(bytes.reduce(0) { $0 | $1[place] } == 0xFF && bytes.reduce(0xFF) { $0 & $1[place] } == 0)
        }
    }

    @Test func theSameIsKnownAgainByItsHash() {
        let token = SystemRandom.secrets.makeToken()
        #expect(SystemRandom.secrets.hash(of: token) == SystemRandom.secrets.hash(of: token))
        #expect(SystemRandom.secrets.hash(of: token) != SystemRandom.secrets.hash(of: SystemRandom.secrets.makeToken()))
    }
}

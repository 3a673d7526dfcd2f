// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Testing

@testable import TokenCipher

@Suite struct ZlibStreamTests {
    @Test func inflatesWhatItDeflated() throws {
        for bytes in [[], [1], Array("token".utf8), [UInt8](repeating: 7, count: 65_536)] as [[UInt8]] {
            let stream = try #require(ZlibStream.deflate(bytes))
            #expect(stream.starts(with: [0x78, 0x9C]))
            #expect(try ZlibStream.inflate(stream, atMost: 65_536) == bytes)
        }
    }

    @Test func theLimitIsExact() throws {
        let stream = try #require(ZlibStream.deflate([UInt8](repeating: 7, count: 1000)))
        #expect(try ZlibStream.inflate(stream, atMost: 1000).count == 1000)
        #expect(throws: ZlibStream.Fault.tooLong) { try ZlibStream.inflate(stream, atMost: 999) }
    }

    @Test func everyCutIsNoticed() throws {
        let stream = try #require(ZlibStream.deflate(Array("token-token-token".utf8)))
        for length in 0..<stream.count {
            #expect(throws: ZlibStream.Fault.damaged) { try ZlibStream.inflate(Array(stream[..<length]), atMost: 100) }
        }
        #expect(throws: ZlibStream.Fault.damaged) { try ZlibStream.inflate(stream + stream, atMost: 100) }
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import ArgumentParser
import Testing

@testable import tastytoken

@Suite struct TokenRequestTests {
    @Test(arguments: [
        ["token", "42"], ["token", "4 2", "--socket", "/run/x"], ["token", "help"], ["token", "token"],
        ["token", "é/?&"],
        ["token", "42", "--socket", "not-there"],
    ])
    func aPlainCommandLineIsTheRequestThatTheArgumentParserMakesOfIt(words: [String]) throws {
        let plain = try #require(TokenRequest(plain: words[...]))
        let command = try #require(try TastyToken.parseAsRoot(words) as? TokenCommand)
        #expect(plain == command.request)
        #expect(!command.json)
    }

    @Test(arguments: [
        [], ["token"], ["token", ""], ["token", "-h"], ["token", "--json", "42"], ["token", "42", "--json"],
        ["token", "42", "43"], ["token", "42", "--socket"], ["token", "42", "--socket", ""],
        ["token", "42", "--socket", "-x"], ["token", "42", "--socket", "a", "b"], ["token", "42", "--socket=a"],
        ["header", "42"], ["--version"], ["help", "token"],
    ])
    func anyOtherIsLeftToTheArgumentParser(words: [String]) {
        #expect(TokenRequest(plain: words[...]) == nil)
    }
}

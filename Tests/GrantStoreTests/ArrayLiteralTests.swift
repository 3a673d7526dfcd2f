// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Testing

@testable import GrantStore

@Suite struct ArrayLiteralTests {
    @Test func textsAreQuotedSoThatNoneIsSyntax() {
        #expect(ArrayLiteral.of(texts: ["a", "NULL", "", "{x,y}", "q\"b\\"]) == #"{"a","NULL","","{x,y}","q\"b\\"}"#)
    }

    @Test func nilIsNull() {
        #expect(ArrayLiteral.of(texts: [nil, "a"]) == #"{NULL,"a"}"#)
        #expect(ArrayLiteral.of(integers: [1, nil, -3]) == "{1,NULL,-3}")
    }

    @Test func nothingIsAnEmptyArray() {
        #expect(ArrayLiteral.of(texts: [String]()) == "{}")
    }
}

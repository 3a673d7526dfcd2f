// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import NIOHTTP1
import Testing

@testable import SocketServer

@Suite struct RequestFieldsTests {
    @Test(
        arguments: [
            ([], false), (["text/plain"], true), (["TEXT/PLAIN"], true), (["text/*"], true), (["*/*"], false),
            (["application/json"], false), (["text/plain, application/json"], false),
            (["application/json;q=0.5, text/plain"], true), (["application/json, text/plain;q=0.5"], false),
            (["text/plain, */*;q=0.8"], true), (["text/plain, */*"], true), (["*/*, text/plain;q=0.1"], false),
            (["text/plain;q=0"], false), (["text/plain;q=nan"], false), (["image/png"], false),
            (["text/html", "text/plain"], true),
            (["application/*"], false), ([";;,,"], false), (["text/plain; charset=utf-8"], true),
        ] as [([String], Bool)]
    )
    func textIsGivenToWhoWouldRatherHaveIt(lines: [String], expected: Bool) {
        #expect(RequestFields.prefersText(HTTPHeaders(lines.map { ("Accept", $0) })) == expected)
    }

    @Test(
        arguments: [
            (["wait=30"], 30), (["respond-async, Wait = 30"], 30), (["wait=\"7\"; x=y"], 7), (["a=b", "wait=9"], 9),
            (["wait=1, wait=2"], 1), (["wait=-1, wait=5"], nil), (["wait"], nil), (["waiting=3"], nil), ([], nil),
        ] as [([String], Int64?)]
    )
    func onlyTheFirstWaitCounts(lines: [String], expected: Int64?) {
        #expect(RequestFields.preferredWait(HTTPHeaders(lines.map { ("Prefer", $0) })) == expected)
    }

    @Test(
        arguments: [
            (["\"a\""], ["\"a\""]), (["\"a\", W/\"b,c\""], ["\"a\"", "\"b,c\""]), (["*"], ["*"]),
            (["\"a\"", "\"b\""], ["\"a\"", "\"b\""]),
            (["abc"], []), (["\"open"], []), ([], []),
        ] as [([String], [String])]
    )
    func validatorsAreReadWithTheirQuotes(lines: [String], expected: [String]) {
        #expect(RequestFields.validators(HTTPHeaders(lines.map { ("If-None-Match", $0) })) == expected)
    }

    @Test(
        arguments: [
            ([], nil), ([""], []), (["\"a\""], ["\"a\""]), (["W/\"a\", \"b\""], ["\"b\""]), (["W/\"a\""], []),
            (["\"a\"", "*"], ["\"a\"", "*"]), (["abc"], []),
        ] as [([String], [String]?)]
    )
    func aWeakValidatorMatchesNothingWhereAStrongOneIsWanted(lines: [String], expected: [String]?) {
        #expect(RequestFields.strongValidators(HTTPHeaders(lines.map { ("If-Match", $0) })) == expected)
    }
}

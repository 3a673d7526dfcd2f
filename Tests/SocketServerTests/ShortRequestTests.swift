// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Testing

@testable import SocketServer

@Suite struct ShortRequestTests {
    private func recognise(_ text: String) -> Recognition {
        Array(text.utf8).withUnsafeBytes(ShortRequest.recognise)
    }

    @Test func aPlainRequestIsFoundWithItsIDAndItsEnd() {
        let text = "GET /v1/users/a-b_c.d~9/token HTTP/1.1\r\nHost: x\r\nAccept: */*\r\n\r\n"
        #expect(recognise(text + "GET") == .request(length: text.utf8.count, user: 14..<23))
    }

    @Test func everyBeginningOfOneMayYetBecomeOne() {
        let text = "GET /v1/users/42/token HTTP/1.1\r\nHost: x\r\nUser-Agent: y\r\n\r\n"
        for length in 0..<text.utf8.count {
            let beginning = String(decoding: text.utf8.prefix(length), as: UTF8.self)
            #expect(recognise(beginning) == .incomplete, "\(length)")
        }
    }

    @Test(arguments: [
        "/v1/users/4%32/token", "/v1/users/42/token?x", "/v1/users/42", "/v1/users//token", "/healthz", "/",
        "/v1/users/a+b/token",
    ])
    func otherTargetsEndWhereTheyEndButAreNotAnsweredHere(target: String) {
        let text = "GET \(target) HTTP/1.1\r\nHost: x\r\n\r\n"
        #expect(recognise(text) == .request(length: text.utf8.count, user: nil))
    }

    @Test(arguments: [
        "POST", "GET  ", "GET *", "\r\n", "\u{0}", "GET / HTTP/1.1\n", "GET / HTTP/1.0\r\nHost: x\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", "GET / HTTP/1.1\r\nHost : x\r\n",
        "GET / HTTP/1.1\r\n x", "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n",
        "GET / HTTP/1.1\r\nConnection: close\r\n",
        "GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n", "GET / HTTP/1.1\r\nHost: \u{1}\r\n", "GET HTTP/1.1\r\n\r\n",
        "GET /\r\n",
        "G\r\n", "\r",
    ])
    func whatCouldMeanSomethingElseIsLeftAlone(text: String) {
        #expect(recognise(text) == .other)
    }

    @Test func aRequestThatIsTooLongIsLeftAlone() {
        let long = "GET /v1/users/42/token HTTP/1.1\r\nHost: x\r\nUser-Agent: " + String(repeating: "y", count: 2000)
        #expect(recognise(long) == .other)
        #expect(recognise(long + "\r\n\r\n") == .other)
    }
}

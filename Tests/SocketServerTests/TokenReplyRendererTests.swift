// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import NIOCore
import SocketAPI
import Testing
import TokenCore

@testable import SocketServer

@Suite struct TokenReplyRendererTests {
    private func written(_ token: PublishedToken, of user: String = "42", _ seconds: Int64) -> String {
        var buffer = ByteBuffer()
        buffer.writeToken(token, of: UserID(user), secondsLeft: seconds)
        return String(buffer: buffer)
    }

    @Test func theReplyIsWholeToTheByte() {
        let token = PublishedToken.living(.seconds(900), text: "abc")
        let body =
            #"{"user":"42","access_token":"abc","token_type":"Bearer","expires_at":"2026-01-01T00:15:00Z","#
            + #""expires_in":   899,"environment":"sandbox","api_url":"https://api.cert.tastyworks.com"}"#
        // printf abc | openssl sha256 -binary | basenc --base64url
        let etag = "\"ungWv48Bz-pBQUDeXa4iI7\""
        #expect(
            written(token, 899)
                == "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nCache-Control: no-store\r\nETag: \(etag)\r\n"
                + "Content-Length: \(body.utf8.count)\r\n\r\n" + body
        )
        #expect(token.etag == etag)
    }

    @Test(
        arguments: [
            (0, "     0"), (9, "     9"), (10, "    10"), (999_999, "999999"), (1_000_000, "999999"), (-5, "     0"),
        ] as [(Int64, String)]
    )
    func theSecondsHaveAPlaceOfFixedWidth(seconds: Int64, place: String) {
        let token = PublishedToken.living(.seconds(900))
        #expect(written(token, seconds).contains("\"expires_in\":\(place),\"environment\""))
    }

    @Test func nothingInATokenOrAnIDBreaksOutOfItsPlace() throws {
        let text = "a\"b\\c\n\u{7F}é"
        let token = PublishedToken.living(.seconds(900), text: text)
        let reply = try RawReply(written(token, of: "x\"},{\"y\r\nz", 1))
        #expect(reply.body.contains(#""user":"x\"},{\"y\u000d\u000az""#))
        #expect(reply.body.contains(#""access_token":"a\"b\\c\u000a\u007fé""#))
        #expect(JSONText.unescape(token.text[...]) == Array(text.utf8))
        #expect(reply.fields["content-length"] == String(reply.body.utf8.count))
    }

    @Test func tokensDoNotPrint() {
        let token = PublishedToken.living(.seconds(900), text: "canary")
        var dumped = ""
        dump(token, to: &dumped)
        #expect(!dumped.contains("canary") && !"\(token)".contains("canary"))
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import NIOCore
import SocketAPI
import TestSupport
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

    /// The bytes are written into room that was counted before: each part of a reply at its longest and its shortest.
    @Test func theRoomIsCountedRightWhateverStandsInAReply() throws {
        let ids = ["", "7", String(repeating: "i", count: 4000), String(repeating: "\u{1}", count: 4000), "é🦊\"\\"]
        let texts = ["", "t", String(repeating: "\"", count: 5000), String(repeating: "x", count: 65_536)]
        let times = [
            Int64.min, -62_167_219_200_000_000, -1, 0, 1, 1_767_225_600_000_000, 253_402_300_799_999_999, .max,
        ]
        for id in ids {
            for text in texts {
                for time in times { try expectWhole(Secret(text), id, WallTime(microseconds: time)) }
            }
        }
    }

    private func expectWhole(_ token: Secret, _ id: String, _ expiresAt: WallTime) throws {
        let life = TokenLife(
            expiresAt: Moment(wall: expiresAt, boot: Moment.newYear.boot),
            lifetime: .seconds(900)
        )
        let token = TokenReplyRenderer().render(token, type: "Bearer", life: life, for: .sandbox)
        for fields in [[], [Reply.Field("Connection", "close"), .retryAfter(.seconds(9))]] {
            var whole = ByteBuffer()
            whole.writeToken(token, of: UserID(id), secondsLeft: .max, fields: fields)
            let reply = try RawReply(String(buffer: whole))
            #expect(reply.fields["content-length"] == String(reply.body.utf8.count))
            #expect(reply.body.hasPrefix("{\"user\":\"") && reply.body.hasSuffix("\"}"))
            var head = ByteBuffer()
            head.writeToken(token, of: UserID(id), secondsLeft: 0, fields: fields, withoutBody: true)
            #expect(head.readableBytes == whole.readableBytes - reply.body.utf8.count)
        }
    }

    @Test func aValidatorOfAnyLengthHasItsRoom() throws {
        let etag = Array("\"\(String(repeating: "v", count: 3000))\"".utf8)
        let frame = ReplyFrame(afterToken: [], afterSeconds: [])
        let token = [UInt8]("t".utf8).withUnsafeBufferPointer { text in
            PublishedToken(
                life: TokenLife(sentAt: .newYear, lifetime: .seconds(900)),
                etag: etag,
                text: text,
                frame: frame
            )
        }
        #expect(try RawReply(written(token, 1) + "}").fields["etag"] == token.etag)
    }

    @Test func tokensDoNotPrint() {
        let token = PublishedToken.living(.seconds(900), text: "canary")
        var dumped = ""
        dump(token, to: &dumped)
        #expect(!dumped.contains("canary") && !"\(token)".contains("canary"))
    }
}

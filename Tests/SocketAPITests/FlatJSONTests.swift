// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import SocketAPI
import Testing

@Suite struct FlatJSONTests {
    private static func reply(_ expiry: String = "612", user: String = #""é 4""#, more: String = "") -> String {
        #"{"user":\#(user),"access_token":"abc","token_type":"Bearer","expires_at":"2026-01-01T00:00:00Z","#
            + #""expires_in":\#(expiry),"environment":"sandbox","api_url":"https://api.cert.tastyworks.com"\#(more)}"#
    }

    @Test(arguments: [
        reply(), reply("   7"), reply("0"), reply("9223372036854775807"), reply(user: #""""#),
        reply(more: #","later":null"#), reply(more: #","later":"x","count":3"#),
    ])
    func whatIsReadIsWhatAGeneralDecoderReads(text: String) throws {
        let general = try JSONDecoder().decode(TokenReply.self, from: Data(text.utf8))
        #expect(TokenReply(flat: Array(text.utf8)) == general)
    }

    @Test(arguments: [
        // Legal, but left to a general decoder.
        reply(user: #""a\"b""#), reply(user: #""a\u0007""#), reply("1.5"), reply("-1"), reply("1e3"), reply("12 "),
        reply(more: #","later":{"a":1}"#), reply(more: #","later":[]"#), reply(more: #","later":true"#),
        reply(more: #","user":"5""#), " " + reply(), reply() + "\n",
        // Of another type, or missing.
        reply(#""612""#), reply("null"), reply(user: "42"), "{}", #"{"user":"42"}"#,
        // Broken.
        "", "{", "[]", reply("007"), reply("99999999999999999999"), reply(""), reply("nul"), reply(user: "\"a\nb\""),
        reply(user: #""a"#), reply() + "}", reply(more: ","), reply(more: #","x""#), reply(more: #","x":"#),
    ])
    func whateverElseIsRefused(text: String) {
        #expect(TokenReply(flat: Array(text.utf8)) == nil)
    }

    @Test func textThatIsNotUTF8IsRefused() {
        let bytes = Array(Self.reply(user: #""?""#).utf8).map { $0 == UInt8(ascii: "?") ? 0xFF : $0 }
        #expect(TokenReply(flat: bytes) == nil)
    }

    @Test func everyShorterTextIsRefused() {
        let bytes = Array(Self.reply().utf8)
        for length in 0..<bytes.count { #expect(TokenReply(flat: Array(bytes.prefix(length))) == nil) }
    }

    @Test func whatTheDaemonWritesIsRead() throws {
        var text = JSONText()
        text.add("name", "a / é")
        text.add("none", nil as String?)
        text.add("count", 5)
        text.add("number", 17)
        text.close()
        let bytes = String(decoding: text.bytes, as: UTF8.self).replacing(#""count":"#, with: #""count":   "#)
        let fields = try #require(FlatJSON(Array(bytes.utf8)))
        #expect(fields.text("name") == "a / é")
        #expect(fields.number("count") == 5)
        #expect(fields.number("number") == 17)
        #expect(fields.text("number") == nil)
        #expect(fields.text("none") == nil)
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Testing

@testable import TokenCore

@Suite struct JSONTreeReaderTests {
    @Test func readsEveryKindOfValue() throws {
        let text = #" {"a":"x","b":[1,-2.5e+3,{}],"c":true,"d":false,"e":null,"f":{"g":"y"}} "#
        let members = try #require(JSONTreeReader.read(Array(text.utf8))?.members)
        #expect(members.count == 6)
        #expect(members["a"]?.text == "x")
        #expect(members["b"] == .array([.number("1"), .number("-2.5e+3"), .object(JSONMembers())], contentAt: 15))
        #expect(members["c"] == .bool(true) && members["d"] == .bool(false) && members["e"] == .null)
        #expect(members["f"]?.members?["g"] == .string("y"))
        #expect(members["h"] == nil)
    }

    @Test(arguments: [
        (#""""#, ""), (#""é""#, "é"), (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"), (#""a\u00e9b""#, "aéb"),
        (#""\ud83d\ude00""#, "\u{1F600}"), (#""\u0000""#, "\0"),
    ])
    func readsEveryString(text: String, value: String) {
        #expect(JSONTreeReader.read(Array(text.utf8)) == .string(value))
    }

    @Test(arguments: [
        "", " ", "{", "}", "[", "{}{}", "{}x", #"{"a"}"#, #"{"a":}"#, #"{"a":1,}"#, #"{a:1}"#, "{'a':1}", "[1,]",
        "[1 2]", "01",
        "1.", ".5", "-", "1e", "+1", "nan", "tru", "nulll", #"""#, #""\"#, #""\x""#, #""\u12""#, #""\u123g""#,
        #""\ud83d""#,
        #""\ud83dx""#, #""\ud83d\u0041""#, #""\ude00""#, "\"\n\"", "\u{FEFF}{}", #"{"a":1,"a":2}"#,
        #"{"a":1,"\u0061":2}"#,
    ])
    func refusesWhatIsNotJSON(text: String) {
        #expect(JSONTreeReader.read(Array(text.utf8)) == nil)
    }

    @Test func refusesWhatIsNotUTF8() {
        #expect(JSONTreeReader.read([0x22, 0xFF, 0x22]) == nil)
        #expect(JSONTreeReader.read([0x22, 0xC0, 0x80, 0x22]) == nil)
        #expect(JSONTreeReader.read([0x22, 0x5C, 0x6E, 0xFF, 0x22]) == nil)
    }

    @Test func depthAndMembersAreBounded() {
        func nested(_ depth: Int) -> [UInt8] {
            [UInt8](repeating: 0x5B, count: depth) + [UInt8](repeating: 0x5D, count: depth)
        }
        #expect(JSONTreeReader.read(nested(8)) != nil)
        #expect(JSONTreeReader.read(nested(9)) == nil)
        #expect(JSONTreeReader.read(nested(100_000)) == nil)
        func object(_ count: Int) -> [UInt8] {
            Array("{\((0..<count).map { "\"\($0)\":0" }.joined(separator: ","))}".utf8)
        }
        #expect(JSONTreeReader.read(object(64)) != nil)
        #expect(JSONTreeReader.read(object(65)) == nil)
    }
}

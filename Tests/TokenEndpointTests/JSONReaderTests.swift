// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Testing

@testable import TokenEndpoint

@Suite struct JSONReaderTests {
    @Test func readsEveryKindOfValue() throws {
        let text = #" {"a":"x","b":-1.5e3,"c":true,"d":false,"e":null,"f":{"g":7},"h":[1,[2],{"i":[]}]} "#
        let reading = try #require(JSONReader.object(Array(text.utf8)))
        #expect(reading.isWhole)
        #expect(
            reading.members == [
                "a": .string("x"), "b": .number("-1.5e3"), "c": .bool(true), "d": .bool(false), "e": .null,
                "f": .object(["g": .number("7")]), "h": .array,
            ]
        )
    }

    @Test(arguments: [
        (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"), (#""\u0041\u00e9""#, "Aé"), (#""\ud83d\ude00""#, "😀"),
        (#""é😀""#, "é😀"), (#""""#, ""),
    ])
    func readsStrings(text: String, value: String) throws {
        let reading = try #require(JSONReader.object(Array(#"{"s":\#(text)}"#.utf8)))
        #expect(reading.isWhole)
        #expect(reading.members["s"] == .string(value))
    }

    @Test(arguments: [
        #"{"a":"x""#, #"{"a":}"#, #"{"a" 1}"#, #"{a:1}"#, #"{"a":1,}"#, #"{"a":01}"#, #"{"a":1.}"#, #"{"a":.5}"#,
        #"{"a":+1}"#, #"{"a":nan}"#, #"{"a":tru}"#, #"{"a":"\x"}"#, #"{"a":"\u12"}"#, #"{"a":"\ud800"}"#,
        #"{"a":"\ud800\u0041"}"#, #"{"a":"\udc00"}"#, "{\"a\":\"x\ny\"}", #"{"a":1}x"#, #"{"a":1}{}"#, #"{"a":[1,]}"#,
        #"{"a":[1}"#, "{", #"{"a":"#,
    ])
    func whatIsNoJSONIsNotWhole(text: String) {
        #expect(JSONReader.object(Array(text.utf8))?.isWhole == false, "\(text)")
    }

    @Test(arguments: ["", " ", "[]", "\"x\"", "null", "<html>", "17"])
    func whatDoesNotBeginAsAnObjectIsNone(text: String) {
        #expect(JSONReader.object(Array(text.utf8)) == nil)
    }

    @Test func invalidUTF8IsNotWhole() {
        let text = Array(#"{"a":"x"#.utf8) + [0xC3, 0x28] + Array(#""}"#.utf8)
        #expect(JSONReader.object(text)?.isWhole == false)
    }

    @Test func membersBeforeABreakAreKept() throws {
        let reading = try #require(JSONReader.object(Array(#"{"refresh_token":"r","access_token":"hal"#.utf8)))
        #expect(!reading.isWhole)
        #expect(reading.members == ["refresh_token": .string("r")])
    }

    @Test func theLaterOfTwoMembersCounts() throws {
        let reading = try #require(JSONReader.object(Array(#"{"a":1,"a":2}"#.utf8)))
        #expect(reading.members == ["a": .number("2")])
    }

    @Test func depthIsBounded() {
        let deep = #"{"a":"# + String(repeating: "[", count: 50_000)
        #expect(JSONReader.object(Array(deep.utf8))?.isWhole == false)
        let nested = #"{"a":"# + String(repeating: "[", count: 10) + String(repeating: "]", count: 10) + "}"
        #expect(JSONReader.object(Array(nested.utf8))?.isWhole == true)
    }

    @Test func aByteOrderMarkIsPassedOver() {
        #expect(JSONReader.object([0xEF, 0xBB, 0xBF] + Array("{}".utf8))?.isWhole == true)
    }

    @Test(arguments: [
        ("900", true), ("-1", true), ("9e2", true), ("0.5", true), ("", false), ("nan", false), ("inf", false),
        ("0x1p3", false), (" 9", false), ("9 ", false), ("1_000", false),
    ])
    func numbersFollowJSONsGrammar(text: String, isNumber: Bool) {
        #expect(JSONReader.isNumber(text) == isNumber)
    }

    @Test func noBytesMakeItTrap() {
        var random = SystemRandomNumberGenerator()
        let seeds = [#"{"access_token":"a","expires_in":900,"error":{"code":1}}"#, #"{"a":["\ud83d\ude00",null]}"#]
        for round in 0..<5000 {
            var bytes = Array(seeds[round % seeds.count].utf8)
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: .min ... .max, using: &random)
            }
            _ = JSONReader.object(Array(bytes.prefix(Int.random(in: 0...bytes.count, using: &random))))
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import SocketAPI
import TestSupport
import Testing

@testable import WebPages

@Suite struct FormFieldsTests {
    @Test func readsWhatBrowsersWrite() throws {
        let form = try FormFields("name=a+b&secret=%C3%A9%26%3D&empty=&&x=1%2B1".utf8)
        #expect(form["name"] == "a b")
        #expect(form["secret"] == "é&=")
        #expect(form["empty"] == "")
        #expect(form["x"] == "1+1")
        #expect(form["none"] == "")
        #expect(try FormFields("u=%20%0A42%20".utf8).trimmed("u") == "42")
        #expect(try FormFields("u=%20".utf8).trimmed("u") == nil)
        #expect(try FormFields("u=%20%0A42%20".utf8).verbatim("u") == " \n42 ", "another row's id than 42")
        #expect(try FormFields("u=%20".utf8).verbatim("u") == nil && FormFields("x=1".utf8).verbatim("u") == nil)
        let bare = try FormFields("a&b=1&c=".utf8)
        #expect(bare.contains("a") && bare["a"].isEmpty && bare["b"] == "1" && bare.contains("c"))
    }

    @Test(arguments: [
        ("a=1&a=2", FormFlaw.twice), ("=1", .twice), ("a=%", .badEscape),
        ("a=%4", .badEscape), ("a=%GG", .badEscape), ("a=é", .badEscape), ("a=b c", .badEscape), ("a=%FF", .notText),
        ("a=%C3", .notText), ("a=%00", .notText), ("a=%ED%A0%80", .notText),
    ])
    func guessesNothing(text: String, flaw: FormFlaw) {
        #expect(throws: flaw) { try FormFields(text.utf8) }
    }

    @Test func isBounded() throws {
        let many = (0..<FormFields.fieldLimit).map { "f\($0)=" }.joined(separator: "&")
        #expect(throws: Never.self) { try FormFields(many.utf8) }
        #expect(throws: FormFlaw.tooManyFields) { try FormFields((many + "&g=").utf8) }
        let large = "a=" + String(repeating: "x", count: FormFields.bodyLimit - 2)
        #expect(throws: Never.self) { try FormFields(large.utf8) }
        #expect(throws: FormFlaw.tooLarge) { try FormFields((large + "x").utf8) }
    }

    @Test func whateverComesIsReadOrRefused() {
        var chance = SeededGenerator(seed: 2)
        let usual = Array("ab=&%+4F\u{0}é".utf8)
        for _ in 0..<2000 {
            let length = Int.random(in: 0..<24, using: &chance)
            let bytes = (0..<length).compactMap { _ in usual.randomElement(using: &chance) }
            guard let form = try? FormFields(bytes) else { continue }
            #expect(form.description.hasPrefix("fields "))
        }
    }

    @Test func printsNoValue() throws {
        let form = try FormFields("secret=5ec2e7&name=a".utf8)
        var dumped = ""
        dump(form, to: &dumped)
        for text in ["\(form)", String(reflecting: form), dumped] { #expect(!text.contains("5ec2e7")) }
        #expect("\(form)" == "fields name, secret")
    }

    @Test func readsWhateverIsEscaped() throws {
        var chance = SeededGenerator(seed: 1)
        for _ in 0..<200 {
            let scalars = (0..<8).compactMap { _ in Unicode.Scalar(UInt32.random(in: 1...0x2FFF, using: &chance)) }
            let text = String(String.UnicodeScalarView(scalars))
            #expect(try FormFields("t=\(PercentCoding.encode(text))".utf8)["t"].utf8.elementsEqual(text.utf8))
        }
    }
}

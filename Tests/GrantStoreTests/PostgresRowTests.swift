// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Testing

@testable import GrantStore

@Suite struct PostgresRowTests {
    private func fields(_ line: String) -> [String?] {
        var bytes = Array(line.utf8)
        return bytes.withUnsafeMutableBufferPointer { buffer in
            var row = PostgresRow()
            row.fill(copyLine: buffer)
            return (0..<row.count).map { row.text($0) }
        }
    }

    @Test(arguments: [
        ("a\tb\n", ["a", "b"]), ("\\N\tx\n", [nil, "x"]), ("\\\\N\n", ["\\N"]), ("\t\n", ["", ""]), ("\n", [""]),
        ("a\\tb\\nc\\\\d\tz\n", ["a\tb\nc\\d", "z"]), ("\\b\\f\\r\\v\t\\N\n", ["\u{8}\u{c}\r\u{b}", nil]),
        ("no end", ["no end"]), ("x\\", ["x\\"]), ("ö\t€\n", ["ö", "€"]), ("a\\N\n", ["aN"]),
    ]) func linesOfCopyAreTakenApart(_ line: String, _ expected: [String?]) {
        #expect(fields(line) == expected)
    }

    @Test(arguments: [
        ("0", 0), ("-1", -1), ("9223372036854775807", Int64.max), ("-9223372036854775808", Int64.min),
        ("9223372036854775808", nil), ("-9223372036854775809", nil), ("99999999999999999999", nil), ("", nil),
        ("x", nil),
        ("1.5", nil), ("\\N", nil),
    ]) func numbersAreReadOrNil(_ text: String, _ expected: Int64?) {
        var bytes = Array("\(text)\n".utf8)
        bytes.withUnsafeMutableBufferPointer { buffer in
            var row = PostgresRow()
            row.fill(copyLine: buffer)
            #expect(row.integer(0) == expected)
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Testing

@testable import GrantStore

@Suite struct SQLIdentifierTests {
    @Test(arguments: [
        ("users", ["users"]), ("Users", ["users"]), ("\"Users\"", ["Users"]), ("app.users", ["app", "users"]),
        ("\"My App\".\"a.b\"\"c\"", ["My App", "a.b\"c"]), ("_x$1", ["_x$1"]), ("nutzerÄ", ["nutzerÄ"]),
        (String(repeating: "a", count: 63), [String(repeating: "a", count: 63)]),
    ]) func namesAreReadAsSQLReadsThem(_ text: String, _ names: [String]) throws {
        #expect(try SQLIdentifier.path(text, atMost: 2).map(\.name) == names)
    }

    @Test(arguments: [
        ("", SQLIdentifierError.empty), ("a.", .empty), ("\"\"", .empty), ("\"a", .unterminated), ("a b", .trailing),
        ("a;", .trailing), ("1a", .trailing), ("$a", .trailing), ("a--", .trailing), ("\"a\"b", .trailing),
        ("a\"b\"", .trailing), (".a", .trailing), ("\"a\0\"", .trailing), ("a.b.c", .tooManyParts(2)),
        (" a", .trailing),
        (String(repeating: "a", count: 64), .tooLong(63)), ("a'b", .trailing), ("a\n", .trailing),
    ]) func anythingElseIsRefused(_ text: String, _ error: SQLIdentifierError) {
        #expect(throws: error) { try SQLIdentifier.path(text, atMost: 2) }
    }

    @Test func quotationMarksAreDoubled() {
        #expect(SQLIdentifier(catalogue: "a\"; DROP").quoted == "\"a\"\"; DROP\"")
    }
}

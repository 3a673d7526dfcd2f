// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// The encoding of a database's text, and what of it can be told in UTF-8, which is what connections speak.
///
/// Of a value that cannot, the server ends the whole statement (SQLSTATE 22021, 22P05). So in any encoding but UTF-8 no
/// text leaves the server before it has looked at the bytes: a token is ASCII, and an id has to be one that UTF-8 has
/// too. All of that is expressions within statements: nothing hangs on a setting of the session that a pooler could lose.
struct TextEncoding: Hashable, Sendable {
    /// So many characters that UTF-8 lacks are passed over, at most.
    private static let mostStrays = 64
    private static let singleByte: Int64 = 1

    /// UTF-8, in which everything can be told.
    static let utf8 = TextEncoding(name: "UTF8", longestCharacter: 4)

    /// The name that PostgreSQL gives it.
    let name: String
    private let isSingleByte: Bool
    /// Characters that were found to be missing in UTF-8, each as its bytes in hexadecimal.
    private(set) var strays: Set<String> = []

    /// Takes the name and the bytes of the longest character.
    init(name: String, longestCharacter: Int64) {
        self.name = name
        self.isSingleByte = longestCharacter == Self.singleByte
    }

    /// Whether nothing has to be looked at.
    var isUTF8: Bool { name == "UTF8" }

    /// A condition on a text, in SQL: that all of it is ASCII. Each encoding that a server can have has ASCII's
    /// characters as one byte, and none of those bytes in other characters.
    ///
    /// Where every character is one byte, the bytes are taken for LATIN1, whatever they are: what is not ASCII becomes
    /// two bytes of UTF-8. That is a linear scan, and cannot fail.
    func isASCII(_ text: String) -> String {
        guard isSingleByte else { return "octet_length(\(text)) = length(\(text))" }
        let bytes = "convert_to(\(text), getdatabaseencoding())"
        return "octet_length(convert(\(bytes), 'LATIN1', 'UTF8')) = octet_length(\(text))"
    }

    /// A condition on a text, in SQL: that it can be told in UTF-8; nil if every text can.
    func isLegible(_ text: String) -> String? {
        if name == "SQL_ASCII" {
            return "(\(isASCII(text)) OR \(text) COLLATE \"C\" ~ E'\(Self.wellFormed)')"
        }
        guard !strays.isEmpty else { return nil }
        let absences = strays.sorted().map { stray in
            "strpos(\(text) COLLATE \"C\", convert_from(decode('\(stray)', 'hex'), getdatabaseencoding())) = 0"
        }
        return "(\(isASCII(text)) OR (\(absences.joined(separator: " AND "))))"
    }

    /// A value to be shipped only if it is ASCII; where it can be told in any case, it is the value alone.
    func ifASCII(_ text: String) -> String {
        isUTF8 ? text : "CASE WHEN \(isASCII(text)) THEN \(text) END"
    }

    /// What is known after a statement failed because of a character that UTF-8 lacks: its bytes are in the server's
    /// words, whatever their language. Nil if that is nothing new.
    func learning(from failure: StoreFailure) -> TextEncoding? {
        guard !isUTF8, failure.sqlState == "22P05", strays.count < Self.mostStrays,
            let bytes = failure.text.firstMatch(of: /0x[0-9a-f]{2}( 0x[0-9a-f]{2})*/)
        else { return nil }
        var other = self
        let digits = bytes.output.0.replacing("0x", with: "").replacing(" ", with: "")
        let isNew = other.strays.insert(String(digits)).inserted
        return isNew ? other : nil
    }

    /// Well-formed UTF-8 (Unicode, table 3-7) where each byte passes for a character, as in SQL_ASCII.
    private static let wellFormed = [
        #"[\\x01-\\x7F]"#, #"[\\xC2-\\xDF][\\x80-\\xBF]"#, #"\\xE0[\\xA0-\\xBF][\\x80-\\xBF]"#,
        #"[\\xE1-\\xEC\\xEE\\xEF][\\x80-\\xBF]{2}"#, #"\\xED[\\x80-\\x9F][\\x80-\\xBF]"#,
        #"\\xF0[\\x90-\\xBF][\\x80-\\xBF]{2}"#, #"[\\xF1-\\xF3][\\x80-\\xBF]{3}"#,
        #"\\xF4[\\x80-\\x8F][\\x80-\\xBF]{2}"#,
    ].joined(separator: "|").wrapped(in: "^(", ")*$")
}

extension String {
    fileprivate func wrapped(in head: String, _ tail: String) -> String { head + self + tail }
}

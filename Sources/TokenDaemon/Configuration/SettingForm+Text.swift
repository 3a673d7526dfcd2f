// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Glibc

extension SettingForm where Value == String {
    /// One line without control characters, and without white space at its ends.
    static var text: Self {
        SettingForm { text throws(SettingComplaint) in
            guard !text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else {
                throw SettingComplaint("holds a line break or a control character", "write it on one line")
            }
            guard text.first?.isWhitespace != true, text.last?.isWhitespace != true else {
                throw SettingComplaint("begins or ends with white space", "remove it")
            }
            return text
        }
    }

    /// Letters, digits and signs without any white space, as ids and names are.
    static var word: Self {
        SettingForm { text throws(SettingComplaint) in
            let text = try SettingForm.text.read(text)
            guard !text.contains(where: \.isWhitespace) else {
                throw SettingComplaint("holds white space", "remove it")
            }
            return text
        }
    }

    /// A path from the root, without a zero byte in it.
    static var path: Self {
        SettingForm { text throws(SettingComplaint) in
            let text = try SettingForm.text.read(text)
            guard text.hasPrefix("/") else {
                throw SettingComplaint("is not an absolute path", "begin it with /")
            }
            return text
        }
    }

    /// A path that fits into a Unix socket's address (unix(7): 107 bytes).
    static var socketPath: Self {
        SettingForm { text throws(SettingComplaint) in
            let path = try SettingForm.path.read(text)
            let room = MemoryLayout.size(ofValue: sockaddr_un().sun_path) - 1
            guard path.utf8.count <= room, !path.hasSuffix("/") else {
                throw SettingComplaint("is no path for a socket", "name a file by at most \(room) bytes")
            }
            return path
        }
    }

    /// The name of a table as in SQL, with or without its schema: `users`, `app.users`, `"My Users"`.
    static var table: Self {
        SettingForm { text throws(SettingComplaint) in
            guard let parts = SQLName.parts(of: text), parts.count <= 2 else {
                throw SettingComplaint("is not a table's name", "write it as in SQL: users, app.users or \"My Users\"")
            }
            return text
        }
    }

    /// The name of a column as in SQL.
    static var column: Self {
        SettingForm { text throws(SettingComplaint) in
            guard let parts = SQLName.parts(of: text), parts.count == 1 else {
                throw SettingComplaint("is not a column's name", "write it as in SQL: expires_at or \"Expires At\"")
            }
            return text
        }
    }

    /// How libpq finds a database: a URL or `key=value` pairs. libpq itself says whether it can be parsed.
    static var databaseURL: Self {
        SettingForm { text throws(SettingComplaint) in
            let text = try SettingForm.text.read(text)
            let isURL = text.hasPrefix("postgresql://") || text.hasPrefix("postgres://")
            guard isURL || (text.contains("=") && !text.contains("://")) else {
                throw SettingComplaint("is not a PostgreSQL URL", "write postgresql://user@host/database")
            }
            return text
        }
    }
}

extension SettingForm where Value == UInt32 {
    /// A group of this host, by its name or its number.
    static func group(_ names: NameDirectory) -> Self {
        SettingForm { text throws(SettingComplaint) in
            let name = try SettingForm<String>.word.read(text)
            // The largest number means "no such id" to the kernel.
            guard let number = UInt32(name) ?? names.group(name), number < .max else {
                throw SettingComplaint("is no group of this host", "create it, or name another")
            }
            return number
        }
    }
}

extension SettingForm where Value == UInt16 {
    /// Permission bits in octal, as chmod(1) takes them.
    static var fileMode: Self {
        SettingForm { text throws(SettingComplaint) in
            guard (3...4).contains(text.count), let mode = UInt16(text, radix: 8), mode <= 0o777 else {
                throw SettingComplaint("is not a file mode", "write it in octal, as in 0660")
            }
            return mode
        }
    }
}

extension SettingForm {
    /// One of a few words.
    static func choice(_ choices: [(word: String, value: Value)]) -> SettingForm {
        SettingForm { text throws(SettingComplaint) in
            guard let choice = choices.first(where: { $0.word == text }) else {
                let words = choices.map(\.word)
                let list = words.dropLast().joined(separator: ", ") + " or " + (words.last ?? "")
                throw SettingComplaint("is not allowed", "write \(list)")
            }
            return choice.value
        }
    }

    /// The raw value of one of an enumeration's cases.
    static func choice() -> SettingForm where Value: CaseIterable & RawRepresentable<String> {
        choice(Value.allCases.map { ($0.rawValue, $0) })
    }
}

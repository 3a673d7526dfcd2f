// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import FoundationEssentials
import Glibc
import TokenCipher
import TokenCore

/// Seals and opens columns for programs that others wrote, so that each can read what the other sealed: `scripts/test-jose`.
/// What is sealed here are made-up secrets, which are printed.
///
/// `column-probe keygen [SET]` prints a set with one more key. `column-probe jwe SET` and `column-probe rails SETTINGS` read
/// a JSON object a line and answer each with one.
@main
enum ColumnProbe {
    static func main() throws {
        let arguments = CommandLine.arguments.dropFirst()
        switch (arguments.first, arguments.dropFirst().first) {
        case ("keygen", let path):
            var random = SystemRandomNumberGenerator()
            let generator = KeyGenerator { count in (0..<count).map { _ in random.next() } }
            let (set, _) = try generator.addKey(to: try path.map(contents))
            print(String(decoding: set, as: UTF8.self), terminator: "")
        case ("jwe", let path?):
            try answer(with: JWEColumns(try JWEKeySet(try contents(of: path))))
        case ("rails", let path?):
            let settings = try JSONDecoder().decode(ProbeSettings.self, from: Data(try contents(of: path)))
            try answer(with: RailsColumns(try RailsKeys(try settings.settings)))
        default:
            print("usage: column-probe keygen [SET] | jwe SET | rails SETTINGS")
            exit(64)
        }
    }

    private static func contents(of path: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(filePath: path)))
    }

    private static func answer(with columns: some ColumnSealing) throws {
        while let line = readLine() {
            let question = try JSONDecoder().decode(ProbeQuestion.self, from: Data(line.utf8))
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys]
            print(String(decoding: try encoder.encode(try question.answer(with: columns)), as: UTF8.self))
            // Whoever asks waits for it before he asks again.
            fflush(nil)
        }
    }
}

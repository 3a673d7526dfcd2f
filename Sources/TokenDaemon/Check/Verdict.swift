// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import SocketAPI
import TokenCore

/// One line of `tastytokend check`: how something stands, and what would mend it.
package struct Verdict: Hashable, Sendable, CustomStringConvertible {
    /// How it stands.
    package enum Grade: String, Hashable, Sendable {
        /// As it should be.
        case ok
        /// The daemon works, but an operator should know.
        case warn
        /// The daemon would not start, or could not do its work.
        case fail
    }

    /// How it stands.
    package let grade: Grade
    /// What was looked at.
    package let subject: String
    /// What was found; never a secret.
    package let text: String
    /// What to do; nil where there is nothing to be done, or the text says it.
    package let remedy: String?

    /// Puts a verdict together. Line breaks and control characters are escaped.
    package init(_ grade: Grade, _ subject: String, _ text: String, remedy: String? = nil) {
        self.grade = grade
        self.subject = subject
        self.text = SafeText(text, toBytes: 1024).text
        self.remedy = remedy.map { SafeText($0, toBytes: 1024).text }
    }

    /// `fail  socket: /run/x.sock is no socket: remove it`.
    package var description: String {
        let grade = grade.rawValue.padded(to: 5)
        // What ends as a sentence is followed by one.
        let joint = text.hasSuffix(".") ? " " : ": "
        return "\(grade) \(subject): \(text)" + (remedy.map { joint + $0 } ?? "")
    }

    /// The same as a JSON object on one line.
    package var json: String {
        var object = JSONText()
        object.add("verdict", grade.rawValue)
        object.add("subject", subject)
        object.add("text", text)
        object.add("remedy", remedy)
        object.close()
        return String(decoding: object.bytes, as: UTF8.self)
    }
}

extension String {
    fileprivate func padded(to width: Int) -> String {
        self + String(repeating: " ", count: max(width - count, 0))
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import SocketAPI

/// One line of `doctor`, laid out as those of `tastytokend check`: how something stands, and what would mend it.
struct VerdictLine: Equatable {
    /// How it stands.
    let severity: DiagnosisReply.Severity
    /// What was looked at, or which finding it is.
    let subject: String
    /// What was found, in sentences.
    let text: String
    /// What mends it.
    let remedy: String?
    /// Whether it may be over by itself.
    var mayPass = false

    /// Puts a line together.
    ///
    /// - Parameters:
    ///   - severity: how it stands.
    ///   - subject: what was looked at.
    ///   - text: what was found; from elsewhere it may hold anything.
    ///   - remedy: what mends it.
    ///   - mayPass: whether it may be over by itself.
    init(
        _ severity: DiagnosisReply.Severity,
        _ subject: String,
        _ text: String,
        remedy: String? = nil,
        mayPass: Bool = false
    ) {
        self.severity = severity
        self.subject = subject
        self.text = text
        self.remedy = remedy
        self.mayPass = mayPass
    }

    /// What the daemon found. A severity that is not known is worth a look.
    init(_ finding: DiagnosisReply.Finding) {
        let severity = DiagnosisReply.Severity(rawValue: finding.severity) ?? .warn
        self.init(severity, finding.code, finding.problem, remedy: finding.remedy)
    }

    /// `fail  scope_lacks_read: What was found. What mends it.`
    func text(inColour isColourful: Bool) -> String {
        let word = severity.rawValue
        let padding = String(repeating: " ", count: max(5 - word.count, 0))
        let grade = isColourful ? severity.style?.applied(to: word) ?? word : word
        let sentences = [text, remedy].compactMap { $0 }.map { Self.shown($0) }
        return "\(grade)\(padding) \(Failure.shown(subject)): \(sentences.joined(separator: " "))"
    }

    /// The same as a JSON object on one line.
    var json: String {
        var object = JSONText()
        object.add("verdict", severity.rawValue)
        object.add("subject", subject)
        object.add("text", text)
        object.add("remedy", remedy)
        object.close()
        return String(decoding: object.bytes, as: UTF8.self)
    }

    /// How a process ends that has found so much.
    static func exit(isFailing: Bool, needsAPerson: Bool) -> ToolExit {
        guard isFailing else { return .done }
        return needsAPerson ? .grantNeedsPerson : .tryLater
    }

    /// A sentence of the daemon's is longer than what a failure may quote.
    private static func shown(_ text: String) -> String {
        var shown = ""
        var rest = Substring(text.prefix(2000))
        while !rest.isEmpty {
            shown += Failure.shown(String(rest.prefix(500)))
            rest = rest.dropFirst(500)
        }
        return shown
    }
}

extension DiagnosisReply.Severity {
    fileprivate var style: Style? {
        switch self {
        case .ok: .green
        case .note: nil
        case .warn: .yellow
        case .fail: .red
        }
    }
}

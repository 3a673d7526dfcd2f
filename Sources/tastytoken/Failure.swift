// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import SocketAPI

/// Why a command did not do what it should: one line for a person, one status for a script.
struct Failure: Error, Equatable {
    /// How the process ends.
    let exit: ToolExit
    /// What happened, to what, and what to do.
    let text: String

    /// Takes the status and the words.
    init(_ exit: ToolExit, _ text: String) {
        self.exit = exit
        self.text = text
    }

    /// What a refusal of the daemon comes to.
    init(status: Int, problem: Problem?, user: String) {
        let exit = ToolExit(httpStatus: status, code: problem?.code)
        let said = problem.map { Self.shown($0.detail) } ?? "the daemon answered \(status)"
        self.init(exit, "\(said)\(Self.advice(exit, user))")
    }

    private static func advice(_ exit: ToolExit, _ user: String) -> String {
        switch exit {
        case .notAllowed:
            " Ask the operator for a rule under access in the daemon's configuration, for the user or group that this program runs as."
        case .grantNeedsPerson: " See tastytoken status \(shown(user))."
        case .unknownUser, .tryLater, .usage, .noDaemon, .done: ""
        }
    }

    /// Text from elsewhere, fit for a terminal: bounded, and without anything that would move the cursor.
    static func shown(_ text: String) -> String {
        String(text.prefix(500).map { $0.unicodeScalars.allSatisfy(isHarmless) ? $0 : "?" })
    }

    private static func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
        default: true
        }
    }
}

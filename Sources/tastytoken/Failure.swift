// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import SocketAPI

/// Why a command did not do what it should: one line for a person, one status for a script.
struct Failure: Error, Equatable {
    /// How the process ends.
    let exit: ToolExit
    /// What happened, to what, and what to do.
    let text: String
    /// Whether it may be over without anybody changing the command: the daemon is busy, say, or not there yet.
    let isPassing: Bool

    /// Takes the status and the words.
    ///
    /// - Parameters:
    ///   - exit: how the process ends.
    ///   - text: what happened, to what, and what to do.
    ///   - isPassing: whether it may be over by itself; nil leaves that to the status, of which 75 says so.
    init(_ exit: ToolExit, _ text: String, isPassing: Bool? = nil) {
        self.exit = exit
        self.text = text
        self.isPassing = isPassing ?? (exit == .tryLater)
    }

    /// What a refusal of the daemon comes to.
    ///
    /// - Parameters:
    ///   - status: its HTTP status.
    ///   - problem: what its body says, if it says anything.
    ///   - retryAfter: seconds after which the same request may go better.
    ///   - user: whose token or account was asked for; nil if everybody's.
    init(status: Int, problem: Problem?, retryAfter: Int? = nil, user: String?) {
        let exit = ToolExit(httpStatus: status, code: problem?.code)
        guard !Self.isStranger(status, problem) else {
            self.init(exit, "the daemon does not know this request, so it is older than tastytoken; upgrade it.")
            return
        }
        let said = problem.map { Self.shown($0.detail) } ?? "the daemon answered \(status)."
        self.init(exit, said + Self.advice(exit, problem?.code, retryAfter, user))
    }

    /// Whether the daemon has no such path, or not for this method.
    private static func isStranger(_ status: Int, _ problem: Problem?) -> Bool {
        status == 405 || (status == 404 && problem?.code == ProblemCode.notFound.rawValue)
    }

    private static func advice(_ exit: ToolExit, _ code: String?, _ retryAfter: Int?, _ user: String?) -> String {
        switch exit {
        case .notAllowed:
            " Ask the operator for a rule under access in the daemon's configuration, for the user or group that this program runs as."
        case .grantNeedsPerson: user.map { " See tastytoken explain \(shown($0))." } ?? ""
        case .tryLater where code == ProblemCode.staleToken.rawValue:
            user.map { " Get the current one: tastytoken token \(shown($0))." } ?? ""
        case .tryLater:
            retryAfter.map { " Try again in \($0) s\(explaining(code, user))." } ?? ""
        case .unknownUser, .usage, .noDaemon, .done: ""
        }
    }

    /// Where the reason is told. A daemon that still loads its accounts has the same code, and no more to say.
    private static func explaining(_ code: String?, _ user: String?) -> String {
        guard let user, code == ProblemCode.tokenUnavailable.rawValue else { return "" }
        return "; if that does not help, see tastytoken explain \(shown(user))"
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

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import GrantInspection
import TokenCore

extension EnrollmentFailure {
    /// There is no such row.
    static func noRow(of user: UserID) -> EnrollmentFailure {
        EnrollmentFailure(
            .unknownUser,
            "There is no row of user \(user). The application makes it; then connect the account."
        )
    }

    /// There is no such client.
    static func noClient(_ name: String) -> EnrollmentFailure {
        EnrollmentFailure(
            .unknownClient,
            "There is no OAuth client \(SafeText(foreign: name).text). See tastytoken client list, or make it with tastytoken client set."
        )
    }

    /// The database could not do it.
    static func unavailable(_ failure: StoreFailure, _ what: String) -> EnrollmentFailure {
        EnrollmentFailure(
            .unavailable,
            "\(what): \("\(failure)".sentence) Nothing was changed; try again in a moment.",
            explanation: Explanation(
                "The database does not answer",
                "\(what). Nothing was changed.",
                do: "Try again in a moment. If it stays so, tell whoever runs this service."
            ),
            retryAfter: .seconds(5)
        )
    }

    /// The database was asked to change something, and whether it did is not known.
    ///
    /// - Parameters:
    ///   - failure: what it answered, if anything.
    ///   - subject: what was to be changed.
    ///   - change: how, as a participle.
    /// - Returns: that it is not known, or that it was not done where the database said so.
    static func unknown(_ failure: StoreFailure, _ subject: String, _ change: String) -> EnrollmentFailure {
        let mayBeDone =
            switch failure.kind {
            case .unavailable, .timeout: true
            case .misconfigured, .refused: false
            }
        let outcome = "\(subject) \(mayBeDone ? "may or may not have been \(change)" : "was not \(change)")"
        return EnrollmentFailure(
            .unavailable,
            "\(outcome): \("\(failure)".sentence) Try again in a moment.",
            explanation: Explanation(
                "The database does not answer",
                "\(outcome).",
                do: "Try again in a moment. If it stays so, tell whoever runs this service."
            ),
            retryAfter: .seconds(5)
        )
    }

    /// The refresh that was to prove a grant failed.
    init(_ failure: RefreshFailure, of client: ClientRegistration) {
        let explanation = Explanation(ofProof: failure, in: client.environment, for: client.name)
        // Only what the endpoint says in so many words is the grant's own fault.
        let kind: Kind = failure.kind == .grantRefused ? .grantRefused : .unavailable
        // These are over when a person has seen to them, and not in a moment.
        let mayPass = kind == .unavailable && ![.clientRefused, .redirected, .tls].contains(failure.kind)
        let remark =
            failure.outcomeIsUnknown
            ? " TastyTrade may have used the grant all the same: if it is refused at the next try, make a new one." : ""
        self.init(
            kind,
            explanation,
            remark: "\(remark) (\(failure))",
            retryAfter: mayPass ? failure.retryAfter ?? ProofLedger.spacing : nil
        )
    }

    /// The same, with what is striking about what was entered: that may be why.
    ///
    /// - Parameter notes: sentences.
    /// - Returns: the failure with them.
    func noting(_ notes: [String]) -> EnrollmentFailure {
        guard kind == .grantRefused, !notes.isEmpty else { return self }
        return EnrollmentFailure(
            kind,
            "\(text) \(notes.joined(separator: " "))",
            explanation: explanation,
            retryAfter: retryAfter
        )
    }
}

extension ConnectOutcome {
    /// Throws what it means that a row was not changed.
    func throwUnlessDone(_ user: UserID, _ what: String) throws(EnrollmentFailure) {
        switch self {
        case .done: break
        case .unknownUser: throw .noRow(of: user)
        case .unknownClient:
            throw EnrollmentFailure(
                .unknownClient,
                "The account of user \(user) \(what): its OAuth client was removed meanwhile. Choose another one."
            )
        case .locked:
            throw EnrollmentFailure(
                .unavailable,
                "The account of user \(user) \(what): another session of the database holds its row. Try again in a moment.",
                retryAfter: .seconds(1)
            )
        case .rejected(let reason):
            throw EnrollmentFailure(
                .unavailable,
                "The account of user \(user) \(what): the database did not take it: \(reason) See to the table, then try again.",
                explanation: Explanation(
                    "The database did not take it",
                    "The account of user \(user) \(what), since its row takes no such write.",
                    do:
                        "Tell whoever runs this service: its log says why. What TastyTrade gave is kept for the next try."
                )
            )
        }
    }
}

extension [Finding] {
    /// Each in words, with what to do.
    var sentences: [String] { map { "\($0.problem) \($0.remedy)" } }
}

extension String {
    /// The text with a full stop, unless it has an end already.
    fileprivate var sentence: String { last.map { ".?!".contains($0) } == true ? self : self + "." }
}

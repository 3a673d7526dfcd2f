// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import GrantInspection
import TokenCore

// What TastyTrade says to the live access token.

extension AccountProbe {
    /// What the answer means, and what the other side's clock says.
    ///
    /// - Parameters:
    ///   - user: whose token was shown.
    ///   - environment: the world that was asked.
    ///   - isCurrent: whether the token is still the one that is served.
    /// - Returns: what was found.
    func findings(for user: UserID, _ environment: TradeEnvironment, isCurrent: Bool) -> [DiagnosisFinding] {
        let answer: DiagnosisFinding =
            switch outcome {
            case .success(let accounts): .init(accounts, environment)
            case .failure(.tokenNotAccepted) where !isCurrent: .tokenWasReplaced
            case .failure(let failure): .init(failure, user, environment)
            }
        return [answer] + clockFindings
    }

    private var clockFindings: [DiagnosisFinding] {
        guard let endpointTime else { return [] }
        let skew = ClockSkew.finding(endpoint: endpointTime, host: endedAt)
        return [skew.map(DiagnosisFinding.init) ?? .clocksAgree]
    }
}

extension DiagnosisFinding {
    /// There is no token to ask with.
    static let nothingToAskWith = DiagnosisFinding(
        .note,
        "probe_without_token",
        "TastyTrade was not asked: there is no live access token to ask with."
    )

    /// The row was given another client, and the token at hand is that one's from before.
    static let tokenIsOfAnotherClient = DiagnosisFinding(
        .note,
        "probe_of_other_client",
        "TastyTrade was not asked: the access token at hand is of another OAuth client than the one of the row.",
        remedy: "Ask again in some seconds, when the daemon has taken the row up."
    )

    /// TastyTrade wants to be asked seldom.
    static func wasAskedAMomentAgo(_ wait: Duration) -> DiagnosisFinding {
        DiagnosisFinding(
            .note,
            "probe_left_out",
            "TastyTrade was not asked this time: it was a moment ago, and wants to be asked seldom.",
            remedy: "Ask again in \(max(wait.wholeSecondsUp, 1)) s, if what TastyTrade says is to be known."
        )
    }

    fileprivate static let tokenWasReplaced = DiagnosisFinding(
        .note,
        "probe_overtaken",
        "TastyTrade was asked with a token that was replaced, or died, meanwhile, so its answer says nothing.",
        remedy: "Ask again in some seconds."
    )

    fileprivate static let clocksAgree = DiagnosisFinding(
        .ok,
        "clock_agrees",
        "This host's clock agrees with TastyTrade's."
    )

    fileprivate init(_ accounts: AccountSummary, _ environment: TradeEnvironment) {
        guard accounts.count > 0 else {
            self.init(
                .warn,
                "accounts_none",
                "TastyTrade accepts the access token, and it sees no account.",
                remedy: environment == .sandbox
                    ? "Create an account for the sandbox user at \(environment.applicationsPage)."
                    : "Sign in at my.tastytrade.com as the person who made the grant, and see whether there is an account."
            )
            return
        }
        let kinds = AccountSummary.Authority.allCases.compactMap { level in
            accounts.byAuthority[level].map { "\($0) \(level.rawValue)" }
        }
        let count = accounts.count == 1 ? "1 account" : "\(accounts.count) accounts"
        self.init(
            .ok,
            "accounts_listed",
            "TastyTrade accepts the access token: it sees \(count) (authority: \(kinds.joined(separator: ", ")))."
        )
    }

    fileprivate init(_ failure: AccountProbeFailure, _ user: UserID, _ environment: TradeEnvironment) {
        switch failure {
        case .tokenNotAccepted:
            self.init(
                .fail,
                "access_token_not_accepted",
                "TastyTrade does not accept the access token (401), which should live yet.",
                remedy:
                    "Have it replaced: tastytoken refresh \(SafeText(foreign: user.text).text). If it comes again, see whether another "
                    + "program refreshes the same grant, or the grant was revoked at TastyTrade."
            )
        case .notPermitted:
            self.init(
                .warn,
                "access_token_not_permitted",
                "TastyTrade accepts the access token and lets it list no accounts (403): the grant lacks the scope read.",
                remedy:
                    "Tick read for the application at \(environment.applicationsPage), then connect the account again."
            )
        case .gateway(let status):
            let words = Explanation(
                of: RefreshFailure(.gateway, httpStatus: status, text: failure.description),
                in: environment
            )
            self.init(
                .fail,
                status == 401 ? "probe_user_agent_refused" : "probe_gateway",
                "\(words.title): \(words.whatHappened)",
                remedy: words.whatToDo
            )
        case .redirected:
            self.init(
                .fail,
                "probe_redirected",
                Self.sentence(failure),
                remedy: "Correct tastytrade.apiUrl: scheme and host must be TastyTrade's own."
            )
        case .throttled(let wait):
            self.init(
                .warn,
                "probe_throttled",
                Self.sentence(failure),
                remedy:
                    "Wait\(wait.map { " \($0.wholeSecondsUp) s" } ?? ""), and look for another program that calls TastyTrade from here.",
                mayPass: true
            )
        case .serverFault:
            self.init(.warn, "probe_server_fault", Self.sentence(failure), remedy: Self.later, mayPass: true)
        case .unexpected, .malformed:
            self.init(
                .warn,
                failure == .malformed ? "probe_malformed" : "probe_unexpected",
                Self.sentence(failure),
                remedy: "See whether a proxy answers in TastyTrade's place, and check tastytrade.apiUrl."
            )
        case .notReached:
            self.init(
                .fail,
                "probe_not_reached",
                "TastyTrade was not reached: \(failure).",
                remedy:
                    "See to network, name server, firewall and certificates: tastytokend check. TastyTrade blocks an address for hours "
                    + "after repeated failures, which looks the same.",
                mayPass: true
            )
        case .noAnswer:
            self.init(
                .warn,
                "probe_no_answer",
                "TastyTrade did not answer: \(failure).",
                remedy: Self.later,
                mayPass: true
            )
        }
    }

    private static let later = "Nothing: ask again in a minute."

    private static func sentence(_ failure: AccountProbeFailure) -> String {
        let words = failure.description
        return words.prefix(1).uppercased() + words.dropFirst() + "."
    }
}

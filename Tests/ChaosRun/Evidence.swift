// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// A stretch of time, in seconds after the beginning.
struct Span: Hashable, Sendable {
    var from: Double
    var to: Double

    /// How long it is.
    var length: Double { to - from }

    /// Whether the two have a moment in common.
    func meets(_ other: Span) -> Bool { from <= other.to && other.from <= to }

    /// The longest stretch of it that no one of `others` covers.
    func longestRest(without others: some Sequence<Span>) -> Double {
        var (longest, free) = (0.0, from)
        for other in others.filter(meets).sorted(by: { $0.from < $1.from }) {
            longest = max(longest, other.from - free)
            free = max(free, other.to)
        }
        return max(longest, to - free)
    }
}

/// All that was seen in a run, as the referee wants it.
struct Evidence: Sendable {
    /// A refresh call, as the provider saw it.
    struct Call: Hashable, Sendable {
        let at: Double
        let daemon: Int
        let account: Int
        /// Whether an access token was made.
        var gaveToken = true
        /// Its id, if the reply could bring it.
        var token: String?
        /// Whether a fault of the provider's lost the reply.
        var isReplyLost = false
        /// Whether it brought a refresh token that had been exchanged before.
        var isReuse = false
        /// Whether that killed the grant.
        var killsGrant = false
    }

    /// A time in which a daemon did nothing: from SIGKILL until it is ready again, or from SIGSTOP to SIGCONT.
    struct Downtime: Hashable, Sendable {
        let daemon: Int
        let isKill: Bool
        var span: Span
    }

    /// A time in which something was wrong, for those whom it concerned.
    struct Fault: Hashable, Sendable {
        let what: String
        /// nil is all.
        var daemon: Int?
        /// nil is all.
        var account: Int?
        /// Who had a claim on the account when it went down, where that is the fault.
        var claimedBy: Int?
        var span: Span

        /// Whether it concerns an account at a daemon.
        func concerns(_ account: Int, at daemon: Int) -> Bool {
            (self.daemon ?? daemon) == daemon && (self.account ?? account) == account
        }
    }

    /// A time in which a daemon had no live token for an account.
    struct Gap: Hashable, Sendable {
        let daemon: Int
        let account: Int
        var span: Span
        /// What it said instead.
        var said: String
    }

    /// A token that was dead when it was asked for, and handed out.
    struct DeadToken: Hashable, Sendable {
        let at: Double
        let daemon: Int
        let account: Int
        let deadFor: Double
    }

    /// A daemon says that an account needs a person.
    struct Ending: Hashable, Sendable {
        let at: Double
        let account: Int
        let status: String
    }

    /// Another grant is put into an account's row.
    struct Enrolment: Hashable, Sendable {
        let at: Double
        let account: Int
    }

    /// A daemon's wall clock is so far from the true time from then on.
    struct ClockStep: Hashable, Sendable {
        let at: Double
        let daemon: Int
        let offset: Double
    }

    /// What a process takes.
    struct Vitals: Hashable, Sendable {
        let at: Double
        let kibibytes: Int
        let descriptors: Int
    }

    var calls: [Call] = []
    /// The ids of access tokens that some daemon handed out.
    var seen: Set<String> = []
    var downtimes: [Downtime] = []
    /// What was wrong with database and endpoint, and claims that nobody could use.
    var faults: [Fault] = []
    /// When a daemon's clock was stepped.
    var clockSteps: [ClockStep] = []
    var gaps: [Gap] = []
    var deadTokens: [DeadToken] = []
    var endings: [Ending] = []
    var enrolments: [Enrolment] = []
    /// Since when it is known of an account that its grant is dead, while no daemon says so.
    var silentSince: [Int: Double] = [:]
    /// By process.
    var vitals: [Int32: [Vitals]] = [:]
    /// What went wrong with the run itself, such as a daemon that did not come back.
    var troubles: [String] = []
    /// How often tokens were asked for.
    var looks = 0
    /// How often each kind of disturbance was to come, and did come.
    var planned: [String: Int] = [:]
    var done: [String: Int] = [:]
    /// How many answers the proxy was told to lose.
    var orders = 0
}

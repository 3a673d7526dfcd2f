// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// Writes down which account each thread has in hand, where the next process finds it: a trap ends this one without a word, and if it
/// is the same account each time, that one is left alone (hard case H29). Adapter: `HandLedger` of `ReplyJournal`.
///
/// An account is in hand for as long as bytes that came from outside are handled for it: not over a wait, nor over a call that may block,
/// since whoever is in hand when a process is killed for other reasons is under suspicion too.
package protocol AccountsInHand: Sendable {
    /// Writes down that the calling thread begins to handle something of an account, until ``putDown()``.
    ///
    /// - Parameters:
    ///   - user: whose account.
    ///   - version: of the refresh token in its row; zero where there is none.
    ///   - step: what is about to be done.
    /// - Returns: whether it is written down. If not, as where the thread has an account in hand already, there is nothing to put down.
    func take(_ user: UserID, _ version: Int64, _ step: HandlingStep) -> Bool

    /// The calling thread came to the end of what it took.
    func putDown()

    /// Says of an account whether it is to be left alone; nil if it is not.
    ///
    /// - Parameters:
    ///   - user: whose account.
    ///   - version: of the refresh token in its row, as in ``take(_:_:_:)``. With another one than before it is left alone no longer.
    /// - Returns: the reason in words, which also say what to do.
    func reasonToLeave(_ user: UserID, _ version: Int64) -> String?
}

extension AccountsInHand {
    /// Has an account in hand while `body` runs, and returns what it returns.
    package func holding<Value: ~Copyable, Failure: Error>(
        _ user: UserID,
        _ version: Int64,
        _ step: HandlingStep,
        _ body: () throws(Failure) -> Value
    ) throws(Failure) -> Value {
        let isTaken = take(user, version, step)
        defer { if isTaken { putDown() } }
        return try body()
    }
}

/// An account that may be taken in hand, for those who need not know whose it is.
package struct AccountAtHand: Sendable {
    private let user: UserID
    private let version: Int64
    private let hands: any AccountsInHand

    /// Whose account, the version of its refresh token, and where it is written down.
    package init(_ user: UserID, _ version: Int64, _ hands: any AccountsInHand) {
        (self.user, self.version, self.hands) = (user, version, hands)
    }

    /// No account that is worth writing down.
    package static var none: AccountAtHand { AccountAtHand(UserID(""), 0, NobodyInHand()) }

    /// Has it in hand while `body` runs, and returns what it returns.
    package func held<Value, Failure: Error>(
        for step: HandlingStep,
        _ body: () throws(Failure) -> Value
    ) throws(Failure) -> Value {
        try hands.holding(user, version, step, body)
    }
}

/// Writes nothing down: where there is no place for it, or no need.
package struct NobodyInHand: AccountsInHand {
    /// One is as good as another.
    package init() {}

    /// Nothing is written down.
    package func take(_ user: UserID, _ version: Int64, _ step: HandlingStep) -> Bool { false }

    /// There is nothing.
    package func putDown() {}

    /// Nobody is.
    package func reasonToLeave(_ user: UserID, _ version: Int64) -> String? { nil }
}

/// What is done with an account in hand. An account that came through the step in which a process died is above suspicion, so steps
/// are told apart by the code that runs in them.
package struct HandlingStep: RawRepresentable, Hashable, Sendable {
    /// Its number, which other processes know it by.
    package let rawValue: UInt16

    /// The step with that number, of whatever version of the daemon.
    package init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    /// Its row is read with all others.
    package static let loading = HandlingStep(rawValue: 1)
    /// Its row is read again.
    package static let reading = HandlingStep(rawValue: 2)
    /// Its row is read for a refresh.
    package static let claiming = HandlingStep(rawValue: 3)
    /// Its refresh token is read, for when the database is away.
    package static let keeping = HandlingStep(rawValue: 4)
    /// The endpoint's reply is read.
    package static let answering = HandlingStep(rawValue: 5)
    /// What the reply gave is made ready for the row.
    package static let writing = HandlingStep(rawValue: 6)
    /// A new refresh token out of a broken reply is.
    package static let salvaging = HandlingStep(rawValue: 7)
    /// The engine takes in a row that it did not know.
    package static let beginning = HandlingStep(rawValue: 8)
    /// The reply for callers is made.
    package static let rendering = HandlingStep(rawValue: 9)

    private static let inputs: UInt16 = 0x8000

    /// The engine gives its machine an input, at a line of the source: that tells inputs apart.
    package static func input(_ line: UInt) -> HandlingStep {
        HandlingStep(rawValue: inputs | UInt16(truncatingIfNeeded: line) & ~inputs)
    }

    /// What was going on, to be continued after "while".
    package var words: String {
        switch self {
        case .loading, .reading: "its row was read"
        case .claiming: "its row was read for a refresh"
        case .keeping: "its refresh token was read"
        case .answering: "the endpoint's reply for it was read"
        case .writing, .salvaging: "a token was made ready for its row"
        case .beginning: "its row was taken in"
        case .rendering: "the reply with its token was made"
        case _ where rawValue & Self.inputs != 0: "its state was reckoned"
        default: "it was handled"
        }
    }
}

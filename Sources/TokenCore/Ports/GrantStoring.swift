// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// Where the accounts live: the application's table and the daemon's own schema. Adapter: `GrantStore`.
///
/// Every call ends within the store's own deadlines, and a failure says what happened in words that are safe to show.
package protocol GrantStoring: Sendable {
    /// Hands every row to `receive`, in batches, in no order, and ends when the last batch was taken in. Rows without a
    /// refresh token are among them.
    ///
    /// - Returns: where ``changes(since:_:)`` can go on; nil if this table can only be looked at as a whole.
    func load(
        _ receive: @escaping @Sendable ([GrantRow]) async -> Void
    ) async throws(StoreFailure) -> PassMark?

    /// What the rows look like that were changed since `mark`, told by three numbers, so that a reconcile pass ships no
    /// tokens. Every row without a mark, or if the mark is too old or another server's. A row that was not changed may
    /// be among them, and one may be told twice.
    func changes(
        since mark: PassMark?,
        _ receive: @escaping @Sendable ([RowDigest]) async -> Void
    ) async throws(StoreFailure) -> TablePass

    /// Hands over news of changed rows as the database tells them, until the task is cancelled. It never fails: where the
    /// database does not tell, or is away, there is no news, and ``ChangeNews/unknown`` comes first after that.
    func follow(_ receive: @escaping @Sendable (ChangeNews) async -> Void) async

    /// The rows of these users as they are now; a user whose row is gone is missing from the result.
    func rows(of users: [UserID]) async throws(StoreFailure) -> [GrantRow]

    /// Claims the refreshes of these users for this daemon, and then reads their rows, refresh tokens and all, for use at
    /// once. A user whose row is gone is missing. A claim of one's own, from before a restart too, is taken up again.
    ///
    /// With `sends` each claim says that a call is made under it which may do away with the refresh token. It goes on saying so
    /// until an answer is stored, or until it is ended with a known outcome; another daemon that claims the account before that,
    /// while the row holds that same refresh token, finds it ``ClaimedGrant/Hold/inDoubt(_:)``.
    func claim(_ users: [UserID], sends: Bool) async throws(StoreFailure) -> [ClaimedGrant]

    /// Ends claims, at once or after a time; those that another daemon has taken over meanwhile are let be.
    func end(_ claims: [ClaimEnd]) async throws(StoreFailure)

    /// The refresh tokens of these users as they are now, unclaimed: for keeping. A user whose row is gone, or has none,
    /// is missing.
    func grants(of users: [UserID]) async throws(StoreFailure) -> [StoredGrant]

    /// Stores what refreshes gave. Answers for each write whether it took effect; a write whose row no longer holds the
    /// refresh token that was used (`GrantWrite.usedVersion`), or whose account another daemon has claimed since, changes
    /// nothing (hard cases H2, H21); one whose answer the row holds already counts as stored (hard case H6). What took effect ends its claim. A row that another session holds is answered with
    /// ``WriteOutcome/locked``, and holds up no other. If `waiting` says so, rows are written one by one instead, on a way
    /// of their own, and each is given a short while.
    func write(_ writes: [GrantWrite], waiting: Bool) async throws(StoreFailure) -> [UserID: WriteOutcome]

    /// Stores refresh tokens alone, where the row still holds the one that was used, whoever has claimed the account since:
    /// that one is spent. A row that holds the new one already counts as stored. No user may occur twice.
    func salvage(_ salvages: [GrantSalvage]) async throws(StoreFailure) -> [UserID: WriteOutcome]

    /// The OAuth clients that accounts may have grants of, besides the configuration's.
    func clients() async throws(StoreFailure) -> [StoredClient]

    /// Whether any daemon on this database noted that the client's provider rotates refresh tokens.
    func sawRotation(of client: String) async throws(StoreFailure) -> Bool

    /// Notes that it does, for good.
    func noteRotation(of client: String) async throws(StoreFailure)

    /// Writes down how accounts stand, in the daemon's own schema. Last write wins within one daemon.
    func remember(_ notes: [GrantNote]) async throws(StoreFailure)
}

/// A refresh token fresh from its row.
package struct StoredGrant: Hashable, Sendable {
    /// Whose it is.
    package let user: UserID
    /// The refresh token, or why it cannot be had.
    package let refreshToken: Result<Secret, UnreadableGrant>
    /// Its version, as in ``GrantRow/Grant``.
    package let version: Int64

    /// Puts together what a query gave.
    package init(user: UserID, refreshToken: Result<Secret, UnreadableGrant>, version: Int64) {
        self.user = user
        self.refreshToken = refreshToken
        self.version = version
    }
}

/// A column's value that is no token, with the reason; the value itself is not quoted.
package struct UnreadableGrant: Error, Hashable, Sendable {
    /// Why, in words.
    package let reason: String

    /// Takes the reason in words.
    package init(reason: String) {
        self.reason = reason
    }
}

/// What one refresh gave, on its way into the row.
package struct GrantWrite: Hashable, Sendable {
    /// Whose it is.
    package let user: UserID
    /// What the endpoint answered. The refresh token's column is written only if the answer carries a new one.
    package let answer: TokenAnswer
    /// The version of the refresh token that was sent; the row must still hold it.
    package let usedVersion: Int64
    /// The claim that the refresh was made with, which must still stand; nil for one made without.
    package let claim: Claim?

    /// Puts together what a refresh gave.
    package init(
        user: UserID,
        answer: TokenAnswer,
        usedVersion: Int64,
        claim: Claim? = nil
    ) {
        self.user = user
        self.answer = answer
        self.usedVersion = usedVersion
        self.claim = claim
    }
}

/// What became of a write.
package enum WriteOutcome: Hashable, Sendable {
    /// The row holds it. The number is the version of the refresh token that stands in the row now.
    case stored(grantVersion: Int64)
    /// The row is gone, holds another refresh token, or was claimed by another daemon: somebody else was faster, and is
    /// right.
    case superseded
    /// Another session holds the row, after a short wait too if the call was to wait; nothing was written, and nothing is
    /// known.
    case locked
    /// There was no time left for it, since others in the same call were waited for; nothing is known.
    case untried
    /// The database took this one row's write amiss (a constraint, a trigger of the application); others went through.
    case rejected(reason: String)
}

/// How an account stands, to be remembered across restarts.
package struct GrantNote: Hashable, Sendable {
    /// Whose account.
    package let user: UserID
    /// How it stands.
    package let status: GrantStatus
    /// The version of the refresh token that the status speaks of.
    package let grantVersion: Int64?
    /// Refreshes that failed since the last one that did not.
    package let consecutiveFailures: Int
    /// The last failure in words.
    package let lastError: String?

    /// Puts together what the engine knows.
    package init(
        user: UserID,
        status: GrantStatus,
        grantVersion: Int64?,
        consecutiveFailures: Int,
        lastError: String?
    ) {
        self.user = user
        self.status = status
        self.grantVersion = grantVersion
        self.consecutiveFailures = consecutiveFailures
        self.lastError = lastError
    }
}

/// Why the store could not do what was asked of it.
package struct StoreFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// What follows from it.
    package enum Kind: String, Sendable, CaseIterable {
        /// The database cannot be reached, or ended the connection: worth another try, with backoff.
        case unavailable
        /// A statement did not end before its deadline.
        case timeout
        /// Table, column, right or type is not as the configuration says: a person must act (exit 78 at start).
        case misconfigured
        /// The database refused the statement for another reason.
        case refused
    }

    /// What follows from it.
    package let kind: Kind
    /// SQLSTATE, where the server gave one.
    package let sqlState: String?
    /// What happened, to what, and what to do; never holds a password or a column's value.
    package let text: String
    /// Whether there was no connection to be had, or it broke or fell silent: whatever the reason, the database is away
    /// for this daemon. Not so where it answered, however badly.
    package let isOutOfReach: Bool
    /// The same words for who can show a line for each thing that is wrong; never empty.
    package let lines: [String]

    /// Puts together what is known. Unless it is said otherwise, what is unavailable is out of reach.
    package init(_ kind: Kind, sqlState: String? = nil, text: String, isOutOfReach: Bool? = nil) {
        self.lines = [sqlState.map { "\(text) (SQLSTATE \($0))" } ?? text]
        self.kind = kind
        self.sqlState = sqlState
        self.text = text
        self.isOutOfReach = isOutOfReach ?? (kind == .unavailable)
    }

    /// Several things are not as the configuration says, each in a sentence. There must be one at least.
    package init(misconfigured complaints: [String]) {
        self.kind = .misconfigured
        self.sqlState = nil
        self.text = complaints.joined(separator: " ")
        self.isOutOfReach = false
        self.lines = complaints
    }

    /// The words, with the SQLSTATE where there is one.
    package var description: String {
        sqlState.map { "\(text) (SQLSTATE \($0))" } ?? text
    }
}

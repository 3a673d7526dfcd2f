// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// What socket and pages need to connect accounts, and to say with which OAuth clients. Adapter: `AccountConnector` of Enrollment.
///
/// Every call ends within deadlines of its own, and a failure says what happened in words that are safe to show.
package protocol Enrolling: Sendable {
    /// Proves a grant that was made by hand by a refresh, and then puts it into the user's row in place of the one that stands there.
    /// Until then the old one goes on.
    ///
    /// - Parameters:
    ///   - user: whose row; it must exist.
    ///   - pasted: the refresh token, with whatever was copied along with it.
    ///   - client: the name of the OAuth client that it was made for; nil for the one that the user's grant is of now, else the
    ///     configuration's.
    /// - Returns: sentences on what is worth knowing though it worked; often none.
    /// - Throws: why the row is as it was.
    func connect(
        _ user: UserID,
        with pasted: Secret,
        of client: String?
    ) async throws(EnrollmentFailure) -> [String]

    /// Forgets the user's grant: sets the row's three columns to NULL. TastyTrade still knows the grant. Nothing is wrong if there is
    /// none.
    ///
    /// - Parameter user: whose row; it must exist.
    /// - Throws: why the row is as it was.
    func disconnect(_ user: UserID) async throws(EnrollmentFailure)

    /// All OAuth clients by name, the configuration's first.
    ///
    /// - Returns: each without its secret.
    /// - Throws: why they cannot be told.
    func clients() async throws(EnrollmentFailure) -> [ClientListing]

    /// Puts a client in, or another in its place.
    ///
    /// - Parameter draft: the client, as it was entered.
    /// - Returns: the client as it stands now, and sentences on what may be wrong with it.
    /// - Throws: why nothing was changed.
    func put(_ draft: ClientDraft) async throws(EnrollmentFailure) -> (client: ClientListing, notes: [String])

    /// Takes a client out that no account's grant is of.
    ///
    /// - Parameter name: the client's.
    /// - Throws: why it is still there, or that it never was.
    func removeClient(_ name: String) async throws(EnrollmentFailure)
}

/// An OAuth client as somebody entered it. What is nil stays as it is, or has its default in a new one.
package struct ClientDraft: Hashable, Sendable {
    /// The name under which operators know it.
    package var name: String
    /// `client_id`.
    package var clientID: String?
    /// `client_secret`.
    package var clientSecret: Secret?
    /// The world it was registered in, in the contract's words.
    package var environment: String?
    /// Where the authorize page sends people back to.
    package var redirectURI: String?
    /// What it asks for.
    package var scopes: [String]?

    /// Puts together what was entered.
    package init(
        name: String,
        clientID: String? = nil,
        clientSecret: Secret? = nil,
        environment: String? = nil,
        redirectURI: String? = nil,
        scopes: [String]? = nil
    ) {
        self.name = name
        self.clientID = clientID
        self.clientSecret = clientSecret
        self.environment = environment
        self.redirectURI = redirectURI
        self.scopes = scopes
    }
}

/// An OAuth client as operators are told of it; its secret goes in and never out.
package struct ClientListing: Hashable, Sendable {
    /// The name under which operators know it; `default` is the configuration's.
    package let name: String
    /// The world it was registered in.
    package let environment: TradeEnvironment
    /// `client_id`; nil where the configuration has none.
    package let clientID: String?
    /// Where the authorize page sends people back to.
    package let redirectURI: String
    /// What it asks for.
    package let scopes: [String]
    /// When its secret was last replaced: grants from before that are dead at TastyTrade (fact sheet section 2). Nil where that is not
    /// known.
    package let secretChangedAt: WallTime?
    /// How many accounts have grants of it.
    package let accounts: Int
    /// Why it cannot be used, in words; nil if it can be.
    package let obstacle: String?

    /// Puts together what is known of a client.
    package init(
        name: String,
        environment: TradeEnvironment,
        clientID: String?,
        redirectURI: String,
        scopes: [String],
        secretChangedAt: WallTime?,
        accounts: Int,
        obstacle: String?
    ) {
        self.name = name
        self.environment = environment
        self.clientID = clientID
        self.redirectURI = redirectURI
        self.scopes = scopes
        self.secretChangedAt = secretChangedAt
        self.accounts = accounts
        self.obstacle = obstacle
    }
}

/// Why an account was not connected, or a client not changed: the row is as it was. Holds no token and no secret, and may be shown.
package struct EnrollmentFailure: Error, Hashable, Sendable {
    /// What follows from it for whoever asked.
    package enum Kind: String, Sendable, CaseIterable {
        /// There is no row of that user.
        case unknownUser
        /// There is no client of that name.
        case unknownClient
        /// What was entered cannot be: it is to be entered otherwise.
        case invalid
        /// Surely no refresh token, or TastyTrade refused it.
        case grantRefused
        /// A secret cannot be stored without a key.
        case noSealingKey
        /// The state that came back is unknown, spent, over or another place's.
        case invalidState
        /// One for this user was tried just now, or is being tried.
        case tooSoon
        /// Nobody could say: worth another try.
        case unavailable
    }

    /// What follows from it.
    package let kind: Kind
    /// What happened, to what, and what to do: sentences, bounded and escaped.
    package let text: String
    /// The same for a page of its own; nil where there is no more to say than ``text``.
    package let explanation: Explanation?
    /// How long to wait before another try; nil where that is not known, or does not help.
    package let retryAfter: Duration?

    /// Puts together what is known.
    package init(_ kind: Kind, _ text: String, explanation: Explanation? = nil, retryAfter: Duration? = nil) {
        self.kind = kind
        self.text = text
        self.explanation = explanation
        self.retryAfter = retryAfter
    }

    /// Says what an explanation says.
    ///
    /// - Parameters:
    ///   - kind: what follows from it.
    ///   - explanation: the words.
    ///   - remark: what else is to be said, at the end of the text alone.
    ///   - retryAfter: how long to wait before another try.
    package init(_ kind: Kind, _ explanation: Explanation, remark: String = "", retryAfter: Duration? = nil) {
        self.init(
            kind,
            "\(explanation.title): \(explanation.whatHappened) \(explanation.whatToDo)\(remark)",
            explanation: explanation,
            retryAfter: retryAfter
        )
    }
}

extension EnrollmentFailure: CustomStringConvertible {
    /// The words.
    package var description: String { text }
}

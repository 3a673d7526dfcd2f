// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// What can be known of an access token that stands in a row: it is read without proof, so all of it is for people.
struct StoredTokenInspection {
    /// Which column is spoken of.
    enum Column: String {
        case refresh = "refresh token"
        case access = "access token"
    }

    private let contents: TokenContents?
    private let client: ClientRegistration
    private let end: WallTime?
    private let quotation: Quotation

    /// Reads a token, which is clean.
    init(_ token: Secret, of client: ClientRegistration, endingAt end: WallTime?) {
        self.contents = TokenContents(of: token)
        self.client = client
        self.end = end
        self.quotation = Quotation(hiding: [token, client.clientSecret])
    }

    /// All that there is to say, in the order of the questions.
    var findings: [Finding] {
        guard let contents else { return [] }
        guard contents.kind != .refresh else { return [Self.isRefreshToken] }
        return [environmentFinding(contents), audienceFinding(contents), endFinding(contents)].compactMap { $0 }
    }

    private static let isRefreshToken = Finding(
        .refreshTokenAsAccessToken,
        "A refresh token stands in the access token's column: its own header says so. Whoever reads that column sends it where it does not "
            + "belong, and is refused.",
        remedy:
            "See which program writes that column: the two may have been exchanged. The next refresh puts an access token there."
    )

    private func environmentFinding(_ contents: TokenContents) -> Finding? {
        guard let issuer = contents.issuer.flatMap(KnownHost.init(ofAddress:)), let made = issuer.environment,
            let called = KnownHost(ofAddress: client.apiURL)?.environment, made != called
        else { return nil }
        return Finding(
            .accessTokenOfOtherEnvironment,
            "The access token in the row was made in \(made.rawValue) (by \(quotation.plain(issuer.name))), and client "
                + "\(quotation.word(client.name)) belongs to \(called.rawValue). The two share nothing.",
            remedy: "See which program writes that column. The next refresh puts a token of \(called.rawValue) there."
        )
    }

    /// Only what has the form of a client id says anything of clients: the audience of an access token may be an API as well (RFC 9068).
    private func audienceFinding(_ contents: TokenContents) -> Finding? {
        let clients = contents.audience.filter(KnownForm.isUUID)
        guard let theirs = clients.first, let ours = client.clientID, KnownForm.isUUID(ours),
            !clients.contains(where: { $0.lowercased() == ours.lowercased() })
        else { return nil }
        return Finding(
            .accessTokenOfOtherClient,
            "The access token in the row was made for client id \(quotation.clientID(theirs)), and client "
                + "\(quotation.word(client.name)) has \(quotation.clientID(ours)).",
            remedy:
                "See whether another program refreshes this account with a client of its own, and have it ask the daemon instead."
        )
    }

    private func endFinding(_ contents: TokenContents) -> Finding? {
        guard let end, let own = contents.expiresAt else { return nil }
        let late = end - own
        guard late >= ClockSkew.tolerance || late <= .zero - ClockSkew.tolerance else { return nil }
        return Finding(
            .accessTokenEndsOtherwise,
            "The row says that the access token dies \(SpanOfTime(late)) \(late > .zero ? "later" : "earlier") than the token itself does. "
                + (late > .zero
                    ? "Whoever goes by the row uses it when it is dead." : "It is replaced sooner than it has to be."),
            remedy:
                "If an hour or more lies between, something writes the column in local time: it is UTC. If less, see to this host's clock "
                + "(timedatectl)."
        )
    }
}

extension StoredTokenInspection {
    /// The finding on what stands around a token in its column; nil if nothing does.
    static func unclean(_ notes: [Finding], _ column: Column) -> Finding? {
        guard !notes.isEmpty else { return nil }
        let around = Set(notes.map(\.code)).isSubset(of: [.trimmedSpace, .trimmedQuotes])
        let what =
            around
            ? "white space or quotes stand around it"
            : "other words stand around it, such as its name, or a piece of JSON"
        return Finding(
            .storedTokenUnclean,
            "The \(column.rawValue)'s column does not hold the token alone: \(what). It is sent as it stands, and refused so.",
            remedy: column == .refresh
                ? "Connect the account again with tastytoken grant add, which takes off what is too much; or write the token alone into the row."
                : "See which program writes that column. The next refresh puts the token alone there."
        )
    }
}

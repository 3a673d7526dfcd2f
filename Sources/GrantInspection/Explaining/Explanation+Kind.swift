// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

extension Explanation {
    /// What a failure means of which only the kind says anything.
    static func ofKind(
        _ failure: RefreshFailure,
        in environment: TradeEnvironment,
        for client: String?
    ) -> Explanation {
        switch failure.kind {
        case .grantRefused: grantRefused(environment)
        case .clientRefused: clientRefused(environment, ClientSettings(client: client))
        case .requestRejected: requestRejected(failure)
        case .throttled: throttled(failure)
        case .gateway: gateway(failure)
        case .serverFault: serverFault(failure)
        case .redirected: redirected
        case .malformed: malformed
        case .nameResolution: nameResolution
        case .connect: connect
        case .tls: tls
        case .timeout, .connectionLost: noAnswer(failure)
        case .storeUnavailable: storeUnavailable
        case .storeRejected: storeRejected
        case .journalUnavailable: journalUnavailable
        case .callUnderWay: callUnderWay
        case .noProgress: noProgress
        }
    }
}

// What TastyTrade said.

extension Explanation {
    private static func grantRefused(_ environment: TradeEnvironment) -> Explanation {
        Explanation(
            "TastyTrade refused the grant",
            "The refresh token is not, or no longer, good for an access token: it is damaged, the grant was deleted, "
                + "the client secret was regenerated, or the grant is of \(environment.other.rawValue).",
            do: "Connect the account again, or \(environment.makeAGrant)"
        )
    }

    private static func clientRefused(_ environment: TradeEnvironment, _ settings: ClientSettings) -> Explanation {
        let values = settings.named(
            "client id, client secret and environment",
            "tastytrade.clientId, tastytrade.clientSecret and tastytrade.env"
        )
        return Explanation(
            "TastyTrade refused the client",
            "Client id or client secret are wrong, or of \(environment.other.rawValue). No account of this client is at fault, "
                + "and none can be refreshed.",
            do:
                "Compare \(values) with \(environment.applicationsPage)."
        )
    }

    private static func requestRejected(_ failure: RefreshFailure) -> Explanation {
        let code = failure.code.map { " with the code \(quotation.word($0))" } ?? ""
        return Explanation(
            "TastyTrade rejected the request",
            "It answered\(code), which is not known to say anything final about the grant.",
            do:
                "It is tried again. If it stays so, check tastytrade.apiUrl, and look for a newer version of tastytokend."
        )
    }

    private static func throttled(_ failure: RefreshFailure) -> Explanation {
        let asked = failure.retryAfter.map { " It asked for \(SpanOfTime($0)) of silence." } ?? ""
        return Explanation(
            "Too many requests",
            "TastyTrade asks this address or client for fewer requests (429).\(asked)",
            do: "Nothing at once: it is waited for. If it comes again, lower refresh.maxPerSecond, "
                + "or look for another program that calls TastyTrade from here."
        )
    }

    /// A credential's fault would come with a code in JSON (fact sheet section 4.3).
    private static func gateway(_ failure: RefreshFailure) -> Explanation {
        guard failure.httpStatus == 401 else {
            return Explanation(
                "Something before TastyTrade refused the request",
                "The answer came without a code, so it is a gateway's, a proxy's or a firewall's, and says nothing "
                    + "about grant and client.",
                do:
                    "It is tried again. If it stays so, check tastytrade.apiUrl, and whether a proxy or firewall answers in "
                    + "TastyTrade's place."
            )
        }
        return Explanation(
            "Refused before anybody looked at the grant",
            "A 401 without a code comes from TastyTrade's gateway, most often because it does not like the User-Agent. "
                + "It looks like wrong credentials, but it is not.",
            do:
                "See whether a proxy removes or changes the header User-Agent. It is tried again; nobody has to connect anew."
        )
    }

    private static func serverFault(_ failure: RefreshFailure) -> Explanation {
        let status = failure.httpStatus.map { " (\($0))" } ?? ""
        return Explanation(
            "TastyTrade is out of order",
            "TastyTrade, or a gateway before it, has a fault of its own\(status). Grant and client are not concerned.",
            do: "Nothing: it is tried again until it works."
        )
    }

    private static let redirected = Explanation(
        "The address answers with a redirect",
        "What is called sends on to another address. That is never followed, since it would give the secret to whoever is there.",
        do:
            "Check tastytrade.apiUrl: scheme and host must be TastyTrade's own, without a path or another host before it."
    )

    private static let malformed = Explanation(
        "The answer cannot be used",
        "TastyTrade reported success, and its answer holds no token that can be read.",
        do: "It is tried again. If it stays so, check tastytrade.apiUrl, and whether a proxy changes answers."
    )

    static let quotation = Quotation(hiding: [])
}

// What did not come about.

extension Explanation {
    private static let nameResolution = Explanation(
        "TastyTrade's name was not found",
        "This host could not find the address of TastyTrade's API. Nothing was sent.",
        do: "See whether this host has a network and a name server: tastytokend check."
    )

    private static let connect = Explanation(
        "TastyTrade was not reached",
        "No connection could be made. Nothing was sent.",
        do: "See whether a firewall lets this host reach TastyTrade: tastytokend check. "
            + "TastyTrade blocks an address for hours after repeated failures, which looks the same."
    )

    private static let tls = Explanation(
        "The connection is not safe",
        "The server could not prove that it is TastyTrade. Nothing was sent.",
        do: "See to this host's clock and its certificates (ca-certificates, tastytrade.caFile). "
            + "If a proxy looks into connections, its authority belongs into tastytrade.caFile."
    )

    private static func noAnswer(_ failure: RefreshFailure) -> Explanation {
        let how =
            failure.kind == .timeout ? "no whole answer came in time" : "the connection broke before a whole answer"
        return Explanation(
            "No answer",
            "The request was sent, and \(how). Whether TastyTrade acted on it is not known.",
            do: "Nothing: it is tried again."
        )
    }

    private static let storeUnavailable = Explanation(
        "The database is away",
        "The account's row could not be read, so nothing was sent.",
        do: "See to the database; the refresh follows by itself."
    )

    private static let storeRejected = Explanation(
        "The database takes no write",
        "TastyTrade gave a token, and the account's row could not be written.",
        do: "See why the database refuses the write: the log has its words."
    )

    private static let journalUnavailable = Explanation(
        "This host cannot write its journal",
        "What must not be lost could not be written down first, so nothing was sent.",
        do: "See to the folder of journal.path: the log says what is wrong with it."
    )

    private static let callUnderWay = Explanation(
        "An earlier call has not ended",
        "A call with this refresh token is under way still, so no second one was made.",
        do: "Nothing: it is tried again when the first has ended."
    )

    private static let noProgress = Explanation(
        "TastyTrade gave the same token again",
        "A refresh brought the access token that was at hand already.",
        do: "See whether another program refreshes the same grant, or a cache stands before TastyTrade."
    )
}

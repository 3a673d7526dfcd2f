// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import TokenCore

extension Explanation {
    /// What it means that people come back from TastyTrade's page without a code.
    ///
    /// What stands in `error_description` is left aside: anybody can write such an address and have it opened here.
    ///
    /// - Parameters:
    ///   - error: the parameter `error`, as it came.
    ///   - environment: the world whose page was shown.
    ///   - client: the name of the OAuth client that asked; nil where it is not known.
    package init(
        ofAuthorizationError error: String,
        in environment: TradeEnvironment,
        for client: String? = nil
    ) {
        self =
            AuthorizationError(rawValue: error).map { Self.words(for: $0, environment, client) }
            ?? Explanation(
                "Not connected",
                "TastyTrade sent you back with an error that is not known here: \(Self.quotation.word(error)).",
                do: "Begin again. If it comes again, look for a newer version of tastytokend."
            )
    }

    private static func words(
        for error: AuthorizationError,
        _ environment: TradeEnvironment,
        _ client: String?
    ) -> Explanation {
        switch error {
        case .accessDenied: denied
        case .invalidRequest: invalidRequest(environment, ClientSettings(client: client))
        case .invalidScope: Refusal.invalidScope.explanation(in: environment, for: client)
        case .unauthorizedClient: Refusal.clientUnauthorized.explanation(in: environment)
        case .unsupportedResponseType: unsupportedResponseType
        case .serverError: serverError
        case .temporarilyUnavailable: temporarilyUnavailable
        }
    }

    private static let denied = Explanation(
        "Access was not allowed",
        "The request was declined on TastyTrade's page, or TastyTrade declined it: read and trade can be allowed only by people "
            + "with two-factor authentication.",
        do: "Begin again and allow it. If TastyTrade declines, turn on two-factor authentication at TastyTrade "
            + "(My Profile > Security)."
    )

    private static func invalidRequest(_ environment: TradeEnvironment, _ settings: ClientSettings) -> Explanation {
        let values = settings.named("client id and redirect URI", "tastytrade.clientId and tastytrade.redirectUri")
        return Explanation(
            "TastyTrade did not understand the request",
            "Something is missing in the request or is wrong in it, most often client id or redirect URI.",
            do: "Compare \(values) with \(environment.applicationsPage)."
        )
    }

    private static let unsupportedResponseType = Explanation(
        "TastyTrade gives no code this way",
        "TastyTrade says that the application cannot ask for an authorization code.",
        do: "Make the grant by hand at TastyTrade, and enter its refresh token: tastytoken grant add."
    )

    private static let serverError = Explanation(
        "TastyTrade has a fault",
        "Something went wrong on TastyTrade's side. Nothing was allowed or changed.",
        do: "Begin again in some minutes."
    )

    private static let temporarilyUnavailable = Explanation(
        "TastyTrade is not available at the moment",
        "TastyTrade is busy or under maintenance. Nothing was allowed or changed.",
        do: "Begin again in some minutes."
    )
}

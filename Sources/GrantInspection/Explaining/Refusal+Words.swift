// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

extension Refusal {
    /// What it means, for people.
    ///
    /// - Parameters:
    ///   - environment: the world that was called.
    ///   - client: the name of the OAuth client that asked; nil where it is not known.
    /// - Returns: the words.
    func explanation(in environment: TradeEnvironment, for client: String? = nil) -> Explanation {
        let settings = ClientSettings(client: client)
        return switch self {
        case .invalidJWT: .invalidJWT(environment)
        case .grantRevoked: .grantRevoked(environment)
        case .tokenExpired: .tokenExpired
        case .notACustomer: .notACustomer(environment)
        case .secretMismatch: .secretMismatch(environment)
        case .clientNotFound: .clientNotFound(environment)
        case .clientUnauthorized: .clientUnauthorized(environment)
        case .redirectMismatch: .redirectMismatch(environment, settings)
        case .invalidScope: .invalidScope(environment, settings)
        case .versionUnsupported: .versionUnsupported
        case .unsupportedGrantType: .unsupportedGrantType
        case .codeRefused: .codeRefused
        }
    }
}

extension Explanation {
    fileprivate static func invalidJWT(_ environment: TradeEnvironment) -> Explanation {
        Explanation(
            "Not a refresh token",
            "TastyTrade cannot read the value as a refresh token. It is cut short or changed, is something else "
                + "(an access token, a client id, a secret), or comes from \(environment.other.rawValue) "
                + "while \(environment.rawValue) was called.",
            do: "Copy the refresh token again as a whole. If that does not help, \(environment.makeAGrant)"
        )
    }

    fileprivate static func grantRevoked(_ environment: TradeEnvironment) -> Explanation {
        Explanation(
            "The grant was revoked",
            "TastyTrade knows the grant and has ended it: somebody deleted it on TastyTrade's API page, "
                + "or the client secret was regenerated, which ends all grants of the client.",
            do: "Connect the account again. If many accounts are refused at once, the secret was regenerated: "
                + "set the new one first."
        )
    }

    fileprivate static let tokenExpired = Explanation(
        "A token has expired",
        "An access token lives 15 minutes, and this one's time is over. Refresh tokens do not expire.",
        do:
            "Nobody has to sign in again: a program that keeps a token must ask for a new one, as with tastytoken token. "
            + "If it was sent as a refresh token, put the refresh token in its place."
    )

    fileprivate static func notACustomer(_ environment: TradeEnvironment) -> Explanation {
        switch environment {
        case .sandbox:
            Explanation(
                "The sandbox does not know the user as a customer",
                "Either the sandbox user has no customer and account yet, or the sandbox is at fault at the moment: "
                    + "it refuses healthy grants now and then, mostly around 09:00 to 10:10 in New York.",
                do:
                    "Wait: it is tried again, slowly, and has come back after some minutes. If it does not, create customer "
                    + "and account of the sandbox user on \(environment.applicationsPage)."
            )
        case .production:
            Explanation(
                "The user is no customer of TastyTrade",
                "The person who made the grant has no customer record, perhaps because the account was not opened to the end.",
                do: "Let the person sign in at my.tastytrade.com and see whether there is an account. If there is, "
                    + "ask api.support@tastytrade.com."
            )
        }
    }

    fileprivate static func secretMismatch(_ environment: TradeEnvironment) -> Explanation {
        Explanation(
            "The client secret is wrong",
            "The client secret is not the one of the client that the grant was made for: it was mistyped or regenerated, "
                + "or belongs to another application.",
            do:
                "Enter the secret of that application. If it is lost, regenerate it at \(environment.applicationsPage): "
                + "that ends the grants made so far, and every account must be connected again."
        )
    }

    fileprivate static func clientNotFound(_ environment: TradeEnvironment) -> Explanation {
        Explanation(
            "TastyTrade does not know the client",
            "There is no application with this client id in \(environment.rawValue): it is mistyped, was deleted, "
                + "or was made in \(environment.other.rawValue).",
            do:
                "Compare client id and environment with \(environment.applicationsPage), or create the application there."
        )
    }

    fileprivate static func clientUnauthorized(_ environment: TradeEnvironment) -> Explanation {
        Explanation(
            "The client may not do this",
            "TastyTrade knows the application and does not allow it this kind of request. A personal application serves its "
                + "owner's accounts only.",
            do:
                "Look at the application at \(environment.applicationsPage). For the accounts of others, TastyTrade has to make "
                + "you a trusted partner: api.support@tastytrade.com."
        )
    }

    fileprivate static func redirectMismatch(
        _ environment: TradeEnvironment,
        _ settings: ClientSettings
    ) -> Explanation {
        Explanation(
            "The redirect URI is not registered",
            "The address to which TastyTrade is to send people back is, to the letter, none of those registered for the "
                + "application: a slash at the end, http or https, localhost or 127.0.0.1, and the port all count.",
            do: "Make \(settings.named("redirect URI", "tastytrade.redirectUri")) and the one at "
                + "\(environment.applicationsPage) the same."
        )
    }

    fileprivate static func invalidScope(_ environment: TradeEnvironment, _ settings: ClientSettings) -> Explanation {
        Explanation(
            "A scope is not allowed",
            "Something was asked for that the application may not ask for. TastyTrade has the scopes read, trade and openid, "
                + "and those are chosen when the application is made.",
            do:
                "Ask for no more than the application has: change \(settings.named("scopes", "tastytrade.scopes")), or tick more at "
                + "\(environment.applicationsPage)."
        )
    }

    fileprivate static let versionUnsupported = Explanation(
        "The API's version is not supported",
        "The request asked for a version of the API that TastyTrade does not have (any more).",
        do: "Ask for none. The daemon does not: see whether a proxy adds Accept-Version."
    )

    fileprivate static let unsupportedGrantType = Explanation(
        "The request was not understood",
        "TastyTrade says that it does not have this kind of request, though it is the one that it documents. "
            + "Something on the way may change requests, or the API has changed.",
        do:
            "Check tastytrade.apiUrl, and whether a proxy stands before TastyTrade. Look for a newer version of tastytokend."
    )

    fileprivate static let codeRefused = Explanation(
        "The sign-in could not be finished",
        "TastyTrade did not take the code that it gave a moment ago: a code is good for one use and a short time, for the application "
            + "that asked for it. Grants made before are not concerned.",
        do: "Begin again, and allow access once more."
    )
}

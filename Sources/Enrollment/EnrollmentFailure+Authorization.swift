// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import GrantInspection
import TokenCore

/// Why nobody is sent to TastyTrade, or taken back (hard case H32).
extension EnrollmentFailure {
    /// Without it TastyTrade does not know who asks.
    static func noClientID(of client: String) -> EnrollmentFailure {
        EnrollmentFailure(
            .invalid,
            Explanation(
                "The client id is missing",
                "TastyTrade's page has to be told which OAuth client asks, and the client \(client) has no client id.",
                do: client == ClientRegistration.configuredName
                    ? "Set tastytrade.clientId to that of the application at TastyTrade, and restart the service."
                    : "Enter it: tastytoken client set \(client)."
            )
        )
    }

    /// There is no such link, or not any more.
    static let linkIsNone = EnrollmentFailure(
        .invalidState,
        Explanation(
            "This link can no longer be used",
            "A link connects an account once. This one was used, or was not copied whole.",
            do: "Ask for a new one, and open it once."
        )
    )

    /// The link's time is over.
    static let linkIsOver = EnrollmentFailure(
        .invalidState,
        Explanation(
            "This link is too old",
            "A link to connect an account is good for ten minutes.",
            do: "Ask for a new one."
        )
    )

    /// There is no such state, or not any more.
    static let stateIsNone = EnrollmentFailure(
        .invalidState,
        Explanation(
            "This way back from TastyTrade can no longer be used",
            "What TastyTrade sends back works once. It was used already, is of long ago, or was not begun by this service.",
            do: "Look whether the account is connected. If it is not, begin again."
        )
    )

    /// The state's time is over.
    static let stateIsOver = EnrollmentFailure(
        .invalidState,
        Explanation(
            "It took too long",
            "Whoever is sent to TastyTrade has ten minutes to come back. Nothing was changed.",
            do: "Begin again."
        )
    )

    /// The state was begun somewhere else.
    static func stateIsElsewhere(
        _ origin: PendingAuthorization.Origin,
        _ place: AuthorizationPlace
    ) -> EnrollmentFailure {
        switch (origin, place) {
        case (.socket, .socket), (.socket, .browser): begunOverSocket
        case (.browser, .socket): begunInABrowser
        case (.browser, .browser): begunInAnotherBrowser
        }
    }

    private static let begunOverSocket = EnrollmentFailure(
        .invalidState,
        Explanation(
            "This was not begun in this browser",
            "A program on the service's host sent you to TastyTrade, and only there it can be finished. Nothing was changed yet.",
            do:
                "If you began it yourself in a terminal, with tastytoken grant authorize, paste the address of this page there. "
                + "If somebody sent you a link to TastyTrade, do not send them this address: with it your account would be theirs to use."
        )
    )

    private static let begunInABrowser = EnrollmentFailure(
        .invalidState,
        Explanation(
            "This was begun in a browser",
            "What was begun on the service's web pages ends there, in the same browser.",
            do: "Finish it in that browser, or begin again from here."
        )
    )

    private static let begunInAnotherBrowser = EnrollmentFailure(
        .invalidState,
        Explanation(
            "This was begun in another browser",
            "Only the browser that was sent to TastyTrade can finish it, so that nobody can have a stranger's account connected. Nothing "
                + "was changed.",
            do: "Open this address in the browser where it was begun, or begin again here."
        )
    )

    /// It could not be noted who is sent to TastyTrade.
    init(notNoted refusal: AuthorizationRefusal, _ what: String) {
        switch refusal {
        case .noSchema:
            self.init(
                .unavailable,
                "\(what): there is no schema of the daemon's own to note it in. Run tastytokend migrate, with a role that may make it."
            )
        case .unknownClient:
            self.init(.unknownClient, "\(what): the OAuth client was removed meanwhile. Choose another one.")
        case .linkIsNone: self = .linkIsNone
        }
    }

    /// The exchange of a code failed. A code is sent once, so that it helps to ask again only where it never was.
    init(ofExchange failure: RefreshFailure, of client: ClientRegistration) {
        self.init(
            failure.kind == .grantRefused ? .grantRefused : .unavailable,
            Explanation(ofExchange: failure, in: client.environment, for: client.name),
            remark: " (\(failure))",
            retryAfter: failure.wasSent ? nil : ProofLedger.spacing
        )
    }
}

extension RefreshFailure {
    /// Whether anything reached the endpoint, as far as is known.
    var wasSent: Bool {
        switch kind {
        case .nameResolution, .connect, .tls, .storeUnavailable, .journalUnavailable, .callUnderWay: false
        case .grantRefused, .clientRefused, .throttled, .requestRejected, .gateway, .serverFault, .redirected,
            .malformed, .timeout, .connectionLost, .storeRejected, .noProgress:
            true
        }
    }
}

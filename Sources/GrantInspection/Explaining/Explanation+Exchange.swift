// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import TokenCore

extension Explanation {
    /// What it means that the exchange of a code failed.
    ///
    /// It differs from a refresh (``init(of:in:)``) in what follows: a code is not sent a second time, so nothing is tried again by itself.
    ///
    /// - Parameters:
    ///   - failure: the failure; its `code` and `text` are bounded and escaped already.
    ///   - environment: the world that was called.
    ///   - client: the name of the OAuth client that asked; nil where it is not known.
    package init(
        ofExchange failure: RefreshFailure,
        in environment: TradeEnvironment,
        for client: String? = nil
    ) {
        let refresh = Explanation(of: failure, in: environment, for: client)
        switch failure.kind {
        case .grantRefused where Refusal(code: failure.code, words: failure.text, status: failure.httpStatus) == nil:
            // Whatever the words are, `invalid_grant` is said of the code here.
            self = Refusal.codeRefused.explanation(in: environment)
        case .malformed:
            self = Explanation(
                "The answer cannot be used",
                "TastyTrade reported success, and its answer lacks a token that is needed: an access token, and a refresh token to keep "
                    + "the account connected.",
                do: Self.beginAgain
            )
        case .requestRejected, .gateway, .throttled, .serverFault, .timeout, .connectionLost:
            self = Explanation(refresh.title, refresh.whatHappened, do: Self.beginAgain)
        case .grantRefused, .clientRefused, .redirected, .nameResolution, .connect, .tls, .storeUnavailable,
            .storeRejected,
            .journalUnavailable, .callUnderWay, .noProgress:
            self = refresh
        }
    }

    private static let beginAgain =
        "Begin again in a minute, and allow it once more: a code is good for one use, so it is not tried again with this one."
}

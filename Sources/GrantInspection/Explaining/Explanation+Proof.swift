// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import TokenCore

extension Explanation {
    /// What it means that the refresh failed by which a grant was to prove itself. The words of any other refresh, but that nobody tries it
    /// again by himself, and that nothing was changed by it.
    ///
    /// - Parameters:
    ///   - failure: how it failed.
    ///   - environment: whose endpoint was asked.
    ///   - client: the name of the OAuth client.
    package init(ofProof failure: RefreshFailure, in environment: TradeEnvironment, for client: String?) {
        let refresh = Explanation(of: failure, in: environment, for: client)
        switch failure.kind {
        case .requestRejected, .gateway, .malformed:
            self.init(
                refresh.title,
                refresh.whatHappened,
                do:
                    "Nothing was changed. Try again in a moment; if it stays so, check tastytrade.apiUrl, and whether a proxy changes requests or answers."
            )
        case .throttled, .serverFault, .timeout, .connectionLost, .callUnderWay, .storeUnavailable:
            self.init(refresh.title, refresh.whatHappened, do: "Nothing was changed. Try again in a moment.")
        case .grantRefused, .clientRefused, .redirected, .nameResolution, .connect, .tls, .storeRejected,
            .journalUnavailable, .noProgress:
            self = refresh
        }
    }
}

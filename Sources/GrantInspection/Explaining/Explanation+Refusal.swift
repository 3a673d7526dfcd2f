// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import TokenCore

extension Explanation {
    /// What a failed refresh means.
    ///
    /// What the endpoint said is looked up in ``Refusal``; what it did not say, or said without a word, by the kind.
    ///
    /// - Parameters:
    ///   - failure: the failure; its `code` and `text` are bounded and escaped already.
    ///   - environment: the world that was called.
    ///   - client: the name of the grant's OAuth client; nil where it is not known.
    package init(of failure: RefreshFailure, in environment: TradeEnvironment, for client: String? = nil) {
        let refusal: Refusal? =
            switch failure.kind {
            case .grantRefused, .clientRefused, .requestRejected:
                Refusal(code: failure.code, words: failure.text, status: failure.httpStatus)
            default: nil
            }
        self = refusal?.explanation(in: environment, for: client) ?? Self.ofKind(failure, in: environment, for: client)
    }
}

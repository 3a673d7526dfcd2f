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
    package init(of failure: RefreshFailure, in environment: TradeEnvironment) {
        let refusal: Refusal? =
            switch failure.kind {
            case .grantRefused, .clientRefused, .requestRejected:
                Refusal(code: failure.code, words: failure.text, status: failure.httpStatus)
            default: nil
            }
        self = refusal?.explanation(in: environment) ?? Self.ofKind(failure, in: environment)
    }

    /// What the endpoint's refusal means, where only its words are at hand.
    ///
    /// - Parameters:
    ///   - code: `error_code` or `error`; nil if there was none.
    ///   - words: `error_description`; nil if there was none.
    ///   - status: the status of the reply.
    ///   - environment: the world that was called.
    /// - Returns: an explanation; nil if the refusal is none that is known.
    package static func ofRefusal(
        code: String?,
        words: String?,
        status: Int?,
        in environment: TradeEnvironment
    ) -> Explanation? {
        Refusal(code: code, words: words ?? "", status: status)?.explanation(in: environment)
    }
}

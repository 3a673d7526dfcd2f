// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// How a call ended, as far as it tells of the client and the endpoint that all accounts share.
package enum CallOutcome: Hashable, Sendable {
    /// With a token.
    case granted
    /// The client was refused.
    case clientRefused
    /// The grant was refused.
    case grantRefused
    /// There was no answer, or none of the endpoint's: a fault on the way, a gateway's page, a fault of the server.
    case unanswered
    /// It answered something that says nothing of the others.
    case answered

    /// What the failure tells; nil for one of a call that was not made.
    package init?(_ failure: RefreshFailure.Kind) {
        switch failure {
        case .grantRefused: self = .grantRefused
        case .clientRefused: self = .clientRefused
        case .nameResolution, .connect, .tls, .timeout, .connectionLost, .serverFault, .gateway, .redirected,
            .malformed:
            self = .unanswered
        case .throttled, .requestRejected, .noProgress: self = .answered
        case .storeUnavailable, .storeRejected, .journalUnavailable, .callUnderWay: return nil
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// What the token endpoint decided, before anything is signed.
struct TokenDecision: Sendable {
    /// What to send.
    enum Action: Sendable {
        /// A token to make and give.
        case issue(Issue)
        /// This reply.
        case reply(SimulatedReply)
        /// RST.
        case reset
        /// Nothing, for as long as the client waits.
        case silence
        /// These bytes, and then the end or silence.
        case raw([UInt8], closes: Bool)
    }

    /// An access token to make and give.
    struct Issue: Sendable {
        /// The grant that it is given for.
        let grant: TokenMint.GrantClaims
        /// The new token's id.
        let id: String
        /// How long it lives.
        let lifetime: Duration
        /// What the new refresh token says, if there is one.
        var newGrant: TokenMint.GrantClaims?
        /// Whether it is the first of its grant, for a code: then the reply tells of the grant.
        var isFirst = false
        /// The token that is given in place of a new one.
        var repeated: RepeatedToken?
        /// How the token comes again from now on.
        var repetition: Repetition?
        /// What is odd about `expires_in`.
        var oddLifetime: OddLifetime?
        /// How the reply is written.
        var form: FaultEffects.Form?
    }

    /// What to send.
    let action: Action
    /// How it goes out.
    var manner: DeliveryManner = .whole
    /// What became of the request.
    let outcome: RequestOutcome
    /// What the refresh token was worth, where it was looked at, or the grant of a code that was used again.
    var standing: GrantLedger.Standing?
    /// The account that the request belongs to, if that is known.
    var account: String?
    /// The grant that the request belongs to, if that is known.
    var grantID: String?
    /// How much later the answer goes out.
    let delay: Duration?
    /// See ``Delivery/heldAfter``.
    let heldAfter: UInt64?
}

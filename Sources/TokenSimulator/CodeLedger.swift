// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// The codes that the authorize page gave out, and what became of them (RFC 6749 sections 4.1.2 and 4.1.3).
struct CodeLedger {
    /// What a person authorised.
    struct Authorization: Hashable, Sendable {
        /// Who signed in.
        let customer: String
        /// The client that may exchange the code.
        let clientID: String
        /// The address that the code was sent to, which its exchange must name.
        let redirectURI: String
        /// What the grant will allow.
        let scope: String
        /// When the code is good no more.
        let expiresAt: SimulatorInstant
    }

    /// A code as a token request presents it, by a client that proved its secret.
    struct Presented: Hashable, Sendable {
        /// The code.
        let code: String
        /// The client.
        let clientID: String
        /// The address that it says the code was sent to.
        let redirectURI: String
    }

    /// What a code that was presented is worth.
    enum Standing: Hashable {
        /// It can be exchanged.
        case good(Authorization)
        /// It was exchanged for this grant before.
        case used(TokenMint.GrantClaims)
        /// Its time is over.
        case expired
        /// It was sent to another address.
        case otherRedirect
        /// It is none of ours, was forgotten, or is another client's.
        case unknown
    }

    private struct Entry {
        let authorization: Authorization
        /// The grant that it was exchanged for.
        var grant: TokenMint.GrantClaims?
    }

    /// How many codes are remembered, used or not; then the oldest are forgotten.
    static let capacity = 10_000

    private var entries: [String: Entry] = [:]
    private var order: [String] = []
    private var oldest = 0

    /// Notes a code that was given out.
    mutating func issued(_ code: String, for authorization: Authorization) {
        entries[code] = Entry(authorization: authorization)
        guard order.count == Self.capacity else { return order.append(code) }
        entries[order[oldest]] = nil
        order[oldest] = code
        oldest = (oldest + 1) % Self.capacity
    }

    /// Who signed in for a code; nil if it is none of ours.
    func customer(of code: String) -> String? { entries[code]?.authorization.customer }

    /// What a code is worth now. Whether it was used comes before all else, so that a code that leaked is found out however
    /// late it is used again; a request by another client says nothing of that, and harms nobody.
    func standing(of presented: Presented, at now: SimulatorInstant) -> Standing {
        guard let entry = entries[presented.code], entry.authorization.clientID == presented.clientID else {
            return .unknown
        }
        if let grant = entry.grant { return .used(grant) }
        if entry.authorization.redirectURI != presented.redirectURI { return .otherRedirect }
        return entry.authorization.expiresAt > now ? .good(entry.authorization) : .expired
    }

    /// Notes what a code was exchanged for.
    mutating func used(_ code: String, for grant: TokenMint.GrantClaims) {
        entries[code]?.grant = grant
    }
}

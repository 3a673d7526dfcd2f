// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

// What a row says about a grant.

extension GrantStateMachine {
    /// How the grant stands by what the row holds and what was remembered of that very grant.
    static func standing(of row: GrantRow, ignoringMemory: Bool = false) -> Standing {
        switch row.grant {
        case .none:
            return .noGrant
        case .unreadable(_, let reason):
            return .unreadable(reason)
        case .present(let version):
            guard !ignoringMemory, let memory = row.memory, memory.grantVersion == version else { return .good }
            return memory.status == .reauthorizationRequired ? .refused(probes: 0) : .good
        }
    }

    /// No token is believed to live longer than a day, whatever a row says of it (fact sheet section 6, sanity limits).
    private static let longestLife: Duration = .seconds(86_400)

    /// The life of the row's access token. Its beginning is supposed: nobody stored it.
    static func life(of row: GrantRow, _ now: Moment) -> TokenLife? {
        guard row.accessToken != nil, let expiresAt = row.expiresAt else { return nil }
        // A token of ours has no more than its own life left, even if it was stored while a clock ran ahead.
        let known = row.memory?.lifetime
        let deadline = Moment(wall: min(expiresAt, now.wall + (known ?? longestLife)), seenFrom: now)
        let supposed = max(RefreshPolicy.supposedLifetime, deadline.remaining(at: now))
        return TokenLife(expiresAt: deadline, lifetime: known ?? supposed)
    }
}

extension GrantRow.Grant {
    /// The stored text's version; zero where there is none.
    package var version: Int64 {
        switch self {
        case .none: 0
        case .present(let version), .unreadable(let version, _): version
        }
    }
}

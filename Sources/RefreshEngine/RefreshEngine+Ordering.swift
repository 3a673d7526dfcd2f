// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import TokenCore

/// Refreshes that callers order.
extension RefreshEngine {
    /// See ``TokenServing/refresh(_:if:)``.
    package func refresh(
        _ user: UserID,
        if isMeant: @escaping @Sendable (PublishedToken?) -> Bool
    ) -> RefreshVerdict {
        guard let slot = table.slot(of: user) else { return .unknownUser }
        let now = clock()
        let token = board.entry(for: user)?.token
        let current = token.flatMap { $0.life.isAlive(at: now) ? $0 : nil }
        guard isMeant(current) else { return .stale(current) }
        // Whoever stops begins nothing; the next daemon will.
        guard phase == .running else { return .unavailable(.tokenUnavailable, retryAfter: .seconds(1)) }
        // Where a probe may be made now, this is as good as any.
        if let probeAt = table[slot].flatMap({ lanes[$0.lane].breaker.probeAt }), !probeAt.isReached(at: now) {
            return .unavailable(.tokenUnavailable, retryAfter: probeAt.remaining(at: now))
        }
        var obstacle: RefreshVerdict?
        apply(slot) { machine, occasion in
            let outcome = machine.ordered(occasion)
            obstacle = outcome.obstacle
            return outcome.step
        }
        if let obstacle { return obstacle }
        prefer(slot)
        advance()
        return .underWay(replacing: token)
    }

    /// Somebody waits for this one: where it stands in line, it goes before those that nobody waits for.
    func prefer(_ slot: AccountSlot) {
        guard let lane = table[slot]?.lane, lanes[lane].ready.contains(slot) else { return }
        lanes[lane].ready.arm(slot, at: clock() + .seconds(-86_400))
    }
}

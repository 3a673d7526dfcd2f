// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

// When was it made, and does it end? Both are held against this host's clock, which may be wrong itself: no fault.

extension TokenInspection {
    /// What the token's own times say.
    func timeFindings(_ contents: TokenContents) -> [Finding] {
        let tooEarly = contents.issuedAt.flatMap(issuedInFuture)
        let over = contents.expiresAt.flatMap(expired)
        let tooOld = contents.issuedAt.flatMap(olderThanSecret)
        return [over, tooEarly, tooOld].compactMap { $0 }
    }

    private func expired(_ end: WallTime) -> Finding? {
        guard end <= now else { return nil }
        return Finding(
            .tokenExpired,
            "The token says that it expired \(SpanOfTime(now - end)) ago. TastyTrade's refresh tokens have no end: "
                + "it may be another kind of token, or this host's clock is wrong.",
            remedy: "See whether this host's clock is right. If it is, \(client.environment.makeAGrant)"
        )
    }

    private func issuedInFuture(_ made: WallTime) -> Finding? {
        let ahead = made - now
        guard ahead >= ClockSkew.tolerance else { return nil }
        return Finding(
            .issuedInFuture,
            "The token says that it was made \(SpanOfTime(ahead)) from now: most likely this host's clock is behind.",
            remedy: "Set this host's clock, and let it keep its time by NTP: timedatectl says whether it does."
        )
    }

    private func olderThanSecret(_ made: WallTime) -> Finding? {
        guard let secretReplacedAt, made < secretReplacedAt else { return nil }
        return Finding(
            .olderThanSecret,
            "The grant was made \(SpanOfTime(secretReplacedAt - made)) before the client's secret was replaced. "
                + "TastyTrade ends a client's grants when its secret is regenerated.",
            remedy: "It is tried all the same. If TastyTrade refuses it, \(client.environment.makeAGrant)"
        )
    }
}

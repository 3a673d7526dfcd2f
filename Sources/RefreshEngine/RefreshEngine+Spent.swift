// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Logging
import TokenCore

/// Rows in which a refresh token stands again that was replaced before: an application wrote back a whole row that it had read earlier,
/// or the database is an older one since a failover (hard case H5). Such a token is never sent.
extension RefreshEngine {
    /// The row as it is to be learnt; nil if it is not, since its refresh token's successor is put back in its place.
    func minded(_ row: GrantRow) -> GrantRow? {
        if let memory = row.memory, !memory.spent.isEmpty { spent.note(memory.spent, of: row.user) }
        guard case .present(let version) = row.grant, isSpent(row) else { return row }
        if let successor = spent.successor(of: row.user) {
            putBack(successor, of: row.user, over: version)
            return nil
        }
        let reason =
            "The refresh token in the row is one that was replaced before: it is spent, and sending it would cost the grant. "
            + "Put back the one that took its place, or connect the account again."
        return GrantRow(
            user: row.user,
            grant: .unreadable(version: version, reason: reason),
            accessToken: row.accessToken,
            expiresAt: row.expiresAt,
            memory: row.memory,
            client: row.client
        )
    }

    /// Whether the row's refresh token must not be sent.
    func isSpent(_ row: GrantRow) -> Bool {
        let version = row.grant.version
        return spent.contains(version, of: row.user) || row.memory?.spent.contains(version) == true
    }

    private func putBack(_ successor: Secret, of user: UserID, over version: Int64) {
        guard puttingBack.insert(user).inserted else { return }
        Task {
            var outcome: WriteOutcome?
            do throws(StoreFailure) {
                let salvage = GrantSalvage(user: user, newRefreshToken: successor, usedVersion: version)
                outcome = try await store.salvage([salvage])[user]
            } catch {
                note(error, "a refresh token could not be put back", accounts: 1)
            }
            puttingBack.remove(user)
            tellOfPuttingBack(outcome, of: user)
            // What is locked, or takes no write, is looked at again with the next pass.
            switch outcome {
            case .stored, .superseded: reread(user)
            case .locked, .untried, .rejected, nil: break
            }
            advance()
        }
    }

    private func tellOfPuttingBack(_ outcome: WriteOutcome?, of user: UserID) {
        var metadata: Logger.Metadata = [LogKey.user: "\(user)", LogKey.event: "grant.put_back"]
        switch outcome {
        case .stored:
            logger.warning(
                "a refresh token that was replaced stood in its row again; the one that took its place was put back",
                metadata: metadata
            )
        case .superseded: break
        case .locked, .untried, .rejected, nil:
            if case .rejected(let reason)? = outcome { metadata[LogKey.error] = "\(reason)" }
            logger.error(
                "a refresh token that was replaced stands in its row again; the one that took its place could not be put back yet",
                metadata: metadata
            )
        }
    }
}

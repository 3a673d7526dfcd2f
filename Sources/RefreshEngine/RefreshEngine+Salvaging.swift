// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Logging
import TokenCore

/// New refresh tokens that came in replies which were no good otherwise, in line for their rows.
struct SalvageLine: Sendable {
    /// Those whose batch has not begun.
    var pending: [GrantSalvage] = []
    /// Whether a batch is being written.
    var isWriting = false
}

/// The way of such a refresh token into the database.
extension RefreshEngine {
    private static let largestSalvage = 100

    /// Puts a refresh token in line for its row.
    func salvage(_ newRefreshToken: Secret, of account: Account) {
        let version = account.machine.grantVersion
        salvages.pending.append(
            GrantSalvage(user: account.user, newRefreshToken: newRefreshToken, usedVersion: version)
        )
        flushSalvages()
    }

    /// Writes what is in line, unless a batch is under way. A second salvage of one user waits for the next batch.
    private func flushSalvages() {
        guard !salvages.isWriting, !salvages.pending.isEmpty else { return }
        var users: Set<UserID> = []
        var batch: [GrantSalvage] = []
        while let next = salvages.pending.first, batch.count < Self.largestSalvage, users.insert(next.user).inserted {
            batch.append(next)
            salvages.pending.removeFirst()
        }
        salvages.isWriting = true
        let salvages = batch
        Task {
            do throws(StoreFailure) {
                salvaged(salvages, try await store.salvage(salvages))
            } catch {
                couldNotSalvage(salvages, error)
            }
        }
    }

    private func salvaged(_ batch: [GrantSalvage], _ outcomes: [UserID: WriteOutcome]) {
        for salvage in batch {
            if case .stored(let version)? = outcomes[salvage.user], version != salvage.usedVersion {
                spent.note(salvage.usedVersion, of: salvage.user, successor: salvage.newRefreshToken)
            }
            guard let slot = slot(awaiting: salvage) else { continue }
            switch outcomes[salvage.user] ?? .superseded {
            case .stored(let version):
                apply(slot) { $0.salvaged(grantVersion: version, $1) }
                logger.notice(
                    "new refresh token kept out of a broken reply",
                    metadata: [LogKey.user: "\(salvage.user)", LogKey.event: "grant.salvaged"]
                )
            case .superseded:
                apply(slot) { $0.salvageSuperseded($1) }
                logger.notice(
                    "new refresh token dropped, the row holds another by now",
                    metadata: [LogKey.user: "\(salvage.user)", LogKey.event: "grant.superseded"]
                )
            case .locked, .untried:
                let text = "the new refresh token could not be stored: the row is locked"
                apply(slot) { $0.salvageFailed(RefreshFailure(.storeUnavailable, text: text), $1) }
            case .rejected(let reason):
                let text = "the new refresh token could not be stored: \(reason)"
                apply(slot) { $0.salvageFailed(RefreshFailure(.storeRejected, text: text), $1) }
            }
        }
        for salvage in batch { endClaimUnlessStoring(of: salvage.user) }
        endSalvage()
    }

    private func couldNotSalvage(_ batch: [GrantSalvage], _ error: StoreFailure) {
        note(error, "new refresh tokens could not be stored", accounts: batch.count)
        let failure = RefreshFailure(.storeUnavailable, text: "the new refresh token could not be stored: \(error)")
        for salvage in batch {
            guard let slot = slot(awaiting: salvage) else { continue }
            apply(slot) { $0.salvageFailed(failure, $1) }
        }
        for salvage in batch { endClaimUnlessStoring(of: salvage.user) }
        endSalvage()
    }

    private func endSalvage() {
        salvages.isWriting = false
        flushSalvages()
        advance()
    }

    /// The account that waits for that very refresh token; nil if it has gone on meanwhile.
    private func slot(awaiting salvage: GrantSalvage) -> AccountSlot? {
        guard let slot = table.slot(of: salvage.user), table[slot]?.machine.phase == .salvaging(salvage.newRefreshToken)
        else { return nil }
        return slot
    }
}

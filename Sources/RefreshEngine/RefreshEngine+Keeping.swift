// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Logging
import TokenCore

/// Whose refresh tokens are kept for when the database is away: those due soonest, as many as `refresh.keepGrants` allows.
///
/// Where there are more accounts than that, they take turns. Whoever was refreshed is due last, and leaves his room to the
/// next, whose token is read then; so each account costs a few steps for each of its refreshes, and no pass goes over all
/// of them. Where there is room for everybody nobody leaves.
extension RefreshEngine {
    private var keepsGrants: Bool { mayGoUnclaimed && kept.isWanted }

    /// An account came, or has another grant than before: its turn will come.
    func awaitKeeping(_ slot: AccountSlot) {
        guard keepsGrants, let account = table[slot], mayGoUnclaimed(account.lane),
            case .good = account.machine.standing
        else { return }
        keepingOrder.insert(slot, due: due(account.machine))
    }

    /// Has an account leave its room if it is not among the soonest due any more. While the database is away nobody does:
    /// nothing could be read in his place.
    func reconsiderKeeping(_ slot: AccountSlot) {
        guard keepsGrants, !isStoreAway(at: clock()), let account = table[slot], let soonest = keepingOrder.soonest,
            kept.has(account.user, version: account.machine.grantVersion), due(account.machine) > soonest
        else { return }
        kept.forget(account.user)
        awaitKeeping(slot)
    }

    /// Reads refresh tokens for keeping, a batch at a time, until all are kept that there is room for.
    ///
    /// - Parameter room: less is left for later.
    func keepMoreGrants(room: Int = 1) {
        guard keepsGrants else { return keepingOrder.removeAll() }
        guard phase == .running, !isKeeping, kept.room >= room, !isStoreAway(at: clock()) else { return }
        let slots = nextToKeep(min(KeptGrants.largestBatch, kept.room))
        let users = slots.compactMap { table[$0]?.user }
        guard !users.isEmpty else { return }
        isKeeping = true
        Task {
            do throws(StoreFailure) {
                keep(try await store.grants(of: users))
            } catch {
                // The next pass tries again.
                note(error, "refresh tokens could not be read for keeping")
                isKeeping = false
                for user in users { table.slot(of: user).map(awaitKeeping) }
            }
        }
    }

    private func keep(_ grants: [StoredGrant]) {
        isKeeping = false
        for grant in grants {
            guard case .success(let token) = grant.refreshToken, let slot = table.slot(of: grant.user) else { continue }
            kept.keep(token, version: grant.version, of: grant.user)
            // A claim's token may have taken the room meanwhile.
            if !kept.has(grant.user, version: grant.version) { awaitKeeping(slot) }
            reconsiderKeeping(slot)
        }
        keepMoreGrants(room: kept.worthwhileRoom)
    }

    /// The accounts due soonest whose refresh tokens are not kept, in their order.
    private func nextToKeep(_ count: Int) -> [AccountSlot] {
        var slots: [AccountSlot] = []
        while slots.count < count, let next = keepingOrder.popFirst() {
            guard let account = table[next.slot], mayGoUnclaimed(account.lane), case .good = account.machine.standing,
                !kept.has(account.user, version: account.machine.grantVersion)
            else { continue }
            let due = due(account.machine)
            if due > next.due {
                // It was refreshed, or put off, since it was put in.
                keepingOrder.insert(next.slot, due: due)
            } else {
                slots.append(next.slot)
            }
        }
        return slots
    }

    /// Before any other. The time of now would not do: it is later each time, so that of many accounts in line each would seem
    /// to be due after the others, leave its room to them, and be read again, for ever.
    private static let atOnce = KeepingOrder.Due(
        Moment(wall: WallTime(nanoseconds: 0), boot: BootTime(nanoseconds: 0))
    )

    /// When the account is due; at once if it is in line, or in the middle of a refresh.
    private func due(_ machine: GrantStateMachine) -> KeepingOrder.Due {
        switch machine.phase {
        case .resting: KeepingOrder.Due(machine.deadline ?? clock())
        case .queued, .elsewhere, .inDoubt, .refreshing, .storing, .salvaging: Self.atOnce
        }
    }
}

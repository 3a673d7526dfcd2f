// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Logging
import TokenCore

/// The OAuth clients that are kept in the database, and the accounts that belong to each.
extension RefreshEngine {
    /// Reads them; before any row, and again now and then.
    func learnClients() async throws(StoreFailure) {
        let stored = try await store.clients()
        // Before any call is made for one: with a provider that rotates, each is written down first.
        var rotating: Set<String> = []
        for client in stored where lanes.number(of: client.name) == nil {
            if try await store.sawRotation(of: client.name) { rotating.insert(client.name) }
        }
        let now = clock()
        let news = lanes.take(stored) { client in
            var lane = ClientLane(client, configuration, metrics, at: now)
            if rotating.contains(client.name) { lane.rotation = .noted }
            return lane
        }
        for lane in news {
            // Whatever stopped its calls may be over.
            kickBreaker(of: lane, at: now)
            tellOfClient(lane)
        }
        // Who waits for one that is not there yet is not read over and over.
        guard !news.isEmpty else { return }
        let waiting = awaitingClient
        awaitingClient = []
        for user in waiting { reread(user) }
        advance()
    }

    /// The same beside everything else, one at a time.
    func lookForClients() {
        guard !isLearningClients, phase == .running else { return }
        isLearningClients = true
        Task {
            do throws(StoreFailure) {
                try await learnClients()
            } catch {
                note(error, "the OAuth clients could not be read")
            }
            isLearningClients = false
        }
    }

    /// A row names a client that this daemon has not heard of: nothing is made of it before it has.
    func awaitClient(of user: UserID) {
        awaitingClient.insert(user)
        lookForClients()
    }

    /// Has an account go on with another client, to which it was connected anew.
    func move(_ slot: AccountSlot, to lane: LaneNumber) {
        guard let account = table[slot], account.lane != lane else { return }
        lanes[account.lane].ready.disarm(slot)
        lanes[account.lane].victims.remove(account.user)
        board.move(slot, to: lane)
        guard account.machine.phase == .queued, let moved = table[slot] else { return }
        lanes[lane].ready.arm(slot, at: urgency(of: moved, clock()))
    }

    private func tellOfClient(_ lane: LaneNumber) {
        var metadata: Logger.Metadata = [
            LogKey.client: "\(lanes[lane].client.name)", LogKey.event: "client.changed",
        ]
        if let obstacle = lanes[lane].obstacle {
            metadata[LogKey.error] = "\(obstacle)"
            logger.error("an OAuth client cannot be used, and its accounts are not refreshed", metadata: metadata)
        } else {
            logger.notice("OAuth client taken up", metadata: metadata)
        }
    }
}

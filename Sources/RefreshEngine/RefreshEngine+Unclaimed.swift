// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Logging
import TokenCore

/// What is known of whether the client's provider rotates refresh tokens.
enum Rotation: Sendable {
    /// Nobody saw it so far. To `unnoted` by an answer, to `noted` by what another daemon saw.
    case unseen
    /// This daemon saw it, and has not written it down. To `noted`.
    case unnoted
    /// It does, and every daemon on this database can know.
    case noted
}

/// Refreshing while the database is away (`refresh.withoutDatabase`): with refresh tokens kept in memory, and unclaimed.
///
/// Only for a provider that was never seen to rotate refresh tokens. With one that does, two daemons that refresh the same
/// account unclaimed could cost its grant, and a new refresh token could be lost with this process. What one daemon saw of
/// that, the others learn from the database, as they do after a restart.
extension RefreshEngine {
    /// How long the database is not asked again after it was found away, so that refreshes need not wait for it each
    /// time.
    private static let patience: Duration = .seconds(2)

    /// Who of a client's accounts is refreshed without the database now.
    private enum Unclaimed {
        case nobody
        /// Whose token is about to die: the database is there, and takes no claims.
        case theUrgent
        /// Everybody: the database is away.
        case everybody
    }

    private func unclaimed(_ lane: LaneNumber, at now: Moment) -> Unclaimed {
        guard mayGoUnclaimed(lane) else { return .nobody }
        if isStoreAway(at: now) { return .everybody }
        return claimsAwayUntil.map { !$0.isReached(at: now) } ?? false ? .theUrgent : .nobody
    }

    /// No account of a batch could be claimed. Where the database is there and takes no claims (a table was renamed, a right taken away, its
    /// disk is full), only the first failure is told aloud.
    func noteUnclaimed(_ failure: StoreFailure, accounts: Int) {
        let message: Logger.Message = "accounts could not be claimed"
        guard !failure.isOutOfReach else { return note(failure, message, accounts: accounts) }
        logger.log(
            level: claimsAwayUntil == nil ? .error : .debug,
            message,
            metadata: [
                LogKey.error: "\(failure)", LogKey.errorCode: "\(failure.kind.rawValue)",
                LogKey.accounts: .stringConvertible(accounts),
            ]
        )
        claimsAwayUntil = clock() + Self.patience
    }

    /// Whether a client's accounts may be refreshed without the database.
    func mayGoUnclaimed(_ lane: LaneNumber) -> Bool {
        configuration.refreshesWithoutDatabase && !lanes[lane].rotates
    }

    /// Whether any client's may.
    var mayGoUnclaimed: Bool { lanes.numbers.contains(where: mayGoUnclaimed) }

    /// A call found the database out of reach, or answering badly. Of an outage the first failure is told aloud, and the
    /// others only to who looks closely.
    func note(_ failure: StoreFailure, _ message: Logger.Message, accounts: Int? = nil) {
        var metadata: Logger.Metadata = [
            LogKey.error: "\(failure)", LogKey.errorCode: "\(failure.kind.rawValue)",
        ]
        if let accounts { metadata[LogKey.accounts] = .stringConvertible(accounts) }
        logger.log(level: failure.isOutOfReach && storeFailure != nil ? .debug : .warning, message, metadata: metadata)
        guard failure.isOutOfReach else { return }
        let isFirst = storeFailure == nil
        storeFailure = failure
        storeAwayUntil = clock() + Self.patience
        guard isFirst, mayGoUnclaimed, isReady else { return }
        tellOfUnclaimed(.warning, "refreshing without the database as far as grants are kept in memory", "away")
    }

    /// A call of the store went well: it is there.
    func noteStoreAnswered() {
        guard storeFailure != nil else { return }
        storeFailure = nil
        storeAwayUntil = nil
        if mayGoUnclaimed, isReady { tellOfUnclaimed(.notice, "refreshing with the database again", "back") }
    }

    /// Whether the database was found away just now, so that it need not be asked again for a moment.
    func isStoreAway(at now: Moment) -> Bool {
        storeAwayUntil.map { !$0.isReached(at: now) } ?? false
    }

    private func tellOfUnclaimed(_ level: Logger.Level, _ message: Logger.Message, _ event: String) {
        let metadata: Logger.Metadata = [
            LogKey.accounts: .stringConvertible(kept.count), LogKey.event: "database.\(event)",
        ]
        logger.log(level: level, message, metadata: metadata)
    }

    /// An answer carried another refresh token than the one that was sent.
    func foundRotation(of lane: LaneNumber) {
        guard !lanes[lane].rotates else { return }
        lanes[lane].rotation = .unnoted
        logger.notice(
            "the provider replaces refresh tokens: from now on each call is written down first, and none is made without the database",
            metadata: [LogKey.client: "\(lanes[lane].client.name)", LogKey.event: "rotation.found"]
        )
        shareRotation(of: lane)
    }

    /// Asks whether another daemon, or this one before, saw it. What cannot be asked now is asked with the next pass.
    func learnRotation() async {
        for lane in lanes.numbers where !lanes[lane].rotates {
            do throws(StoreFailure) {
                let isSeen = try await store.sawRotation(of: lanes[lane].client.name)
                if isSeen, !lanes[lane].rotates { lanes[lane].rotation = .noted }
            } catch {
                note(error, "what is known of the provider could not be read")
            }
        }
    }

    /// Tells the other daemons, and the next start, that the provider rotates; or asks whether they saw it.
    func shareRotation() {
        for lane in lanes.numbers { shareRotation(of: lane) }
    }

    private func shareRotation(of lane: LaneNumber) {
        let rotation = lanes[lane].rotation
        guard rotation != .noted else { return }
        let name = lanes[lane].client.name
        Task {
            do throws(StoreFailure) {
                if rotation == .unnoted {
                    try await store.noteRotation(of: name)
                    lanes[lane].rotation = .noted
                } else if try await store.sawRotation(of: name) {
                    lanes[lane].rotation = .noted
                }
            } catch {
                // The next pass asks again.
                note(error, "what is known of the provider could not be shared")
            }
        }
    }

    /// Begins the refreshes of those users of a client who go without the database and whose refresh token is kept, unclaimed; gives the
    /// others.
    func beginUnclaimed(_ users: [UserID], in lane: LaneNumber, at now: Moment) -> [UserID] {
        let unclaimed = unclaimed(lane, at: now)
        guard unclaimed != .nobody else { return users }
        return users.filter { user in
            guard let slot = table.slot(of: user), let account = table[slot], account.machine.phase == .queued,
                unclaimed == .everybody || mayRisk(account.machine),
                attempts[user] == nil, let token = kept.token(of: user, version: account.machine.grantVersion)
            else { return true }
            // An older claim says nothing about this call.
            claims[user] = nil
            apply(slot) { $0.begun(version: account.machine.grantVersion, $1) }
            call(token, of: user, version: account.machine.grantVersion, in: account.lane)
            return false
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import TokenCore

/// One account with its row, its provider and the other writers of its row, as simple as they can be: what may happen next, what
/// comes of it, and which laws it broke. The engine's part is done as the engine does it.
struct Interleaving {
    /// What may happen, one at a time.
    enum Event: String, CaseIterable {
        /// The deadline is reached.
        case due
        /// The account's turn comes: it is claimed, its row read, the call made.
        case begun
        /// The reply comes: a token; a token with a new refresh token; `invalid_grant`; none, and the call's outcome is not known.
        case granted, rotated, refused, lost
        /// The answer's write reaches the database; it does not.
        case written, notWritten
        /// The refresh token's write reaches the database.
        case salvaged
        /// The row as it is now is read, since somebody told of it or the machine asked for it.
        case told
        /// A person connects the account again.
        case connected
        /// Another daemon claims the account and stores a token; one with a new refresh token.
        case refreshedElsewhere, rotatedElsewhere
        /// The row loses its refresh token.
        case emptied
        /// It is as it was before that.
        case restored

        /// Whether it comes from outside.
        var isOutside: Bool {
            switch self {
            case .connected, .refreshedElsewhere, .rotatedElsewhere, .emptied, .restored: true
            default: false
            }
        }
    }

    /// What must hold in every order.
    enum Law: String, CaseIterable {
        /// H5: what was found out about one refresh token is not noted of another.
        case failuresCountForTheirOwnGrant
        /// H7: a grant counts as refused after two refusals of that very refresh token, with no success of anybody's in between.
        case twoRefusalsRefuse
        /// H21: an answer is stored, and handed out, for the refresh token alone that it was given for.
        case answersBelongToTheirGrant
        /// H2, H4: a new refresh token is not let go of while the row holds the one that it took the place of.
        case newRefreshTokensAreKept
        /// Something always comes next.
        case nothingStandsStill
        /// When all has been delivered, the account is as its row says.
        case allEndsAsTheRowSays
    }

    private struct Row: Hashable {
        var version: Int64?
        var token: String?
        var expiresAt: WallTime?
    }

    private struct Write {
        let answer: TokenAnswer
        let used: Int64
        let isClaimed: Bool
    }

    private(set) var machine: GrantStateMachine
    private(set) var broken: [Law: String] = [:]
    private var now = Moment.newYear
    private var row: Row
    private var lastTold: Row
    private var before: Row?
    private var wantsReread = false
    private var inFlight: Int64?
    private var hasClaim = false
    private var write: Write?
    private var salvage: (token: Secret, used: Int64)?
    /// For which refresh token each token was given, by its text.
    private var givenFor: [String: Int64] = [:]
    /// With which refresh token each answer went into the row.
    private var storedAs: [String: Int64] = [:]
    private var refusals: [Int64: Int] = [:]
    private var mustKeep: (token: Secret, used: Int64)?
    private var serial: Int64 = 1
    private let isJournaled: Bool
    private let policy = RefreshPolicy()

    /// An account whose call is about to be made; with a live token or without one, and with a journal that works or does not.
    init(hasToken: Bool, isJournaled: Bool) {
        self.isJournaled = isJournaled
        let expiresAt = now.wall + .seconds(400)
        row = Row(version: 1, token: hasToken ? "t0" : nil, expiresAt: hasToken ? expiresAt : nil)
        lastTold = row
        let occasion = Occasion(now: now, draw: 0.5, policy: policy, rotates: true)
        (machine, _) = GrantStateMachine.loaded(Self.grantRow(row), occasion)
        apply(.due)
    }

    private var occasion: Occasion { Occasion(now: now, draw: 0.5, policy: policy, rotates: true) }

    private static func grantRow(_ row: Row) -> GrantRow {
        GrantRow(
            user: UserID("1"),
            grant: row.version.map { .present(version: $0) } ?? .none,
            accessToken: row.token.map { Secret($0) },
            expiresAt: row.expiresAt,
            memory: nil
        )
    }
}

// MARK: - What may happen

extension Interleaving {
    /// What may happen now.
    var possible: [Event] { Event.allCases.filter(isPossible) }

    private func isPossible(_ event: Event) -> Bool {
        switch event {
        case .due: machine.deadline != nil && write == nil && salvage == nil
        case .begun: machine.phase == .queued && inFlight == nil
        case .granted, .rotated, .refused, .lost: inFlight != nil
        case .written, .notWritten: write != nil
        case .salvaged: salvage != nil
        case .told: row != lastTold || wantsReread
        case .connected, .refreshedElsewhere, .rotatedElsewhere: row.version != nil
        case .emptied: row.version != nil
        case .restored: before != nil
        }
    }

    /// Lets it happen.
    mutating func apply(_ event: Event) {
        now = now + .seconds(1)
        let failures = machine.streak?.count ?? 0
        let (version, standing) = (machine.grantVersion, machine.standing)
        switch event {
        case .due:
            if let deadline = machine.deadline, !deadline.isReached(at: now) { now = deadline }
            follow(machine.due(occasion))
        case .begun: begin()
        case .granted: end { $0.granted(isRotated: false, using: $1) }
        case .rotated: end { $0.granted(isRotated: true, using: $1) }
        case .refused:
            end { world, version in
                world.refusals[version, default: 0] += 1
                world.follow(
                    world.machine.failed(RefreshFailure(.grantRefused, text: "x"), using: version, world.occasion)
                )
            }
        case .lost:
            end { world, version in
                world.follow(world.machine.failed(RefreshFailure(.timeout, text: "x"), using: version, world.occasion))
            }
        case .written: store()
        case .notWritten:
            write = nil
            follow(machine.storeFailed(RefreshFailure(.storeUnavailable, text: "x"), occasion))
        case .salvaged: storeSalvage()
        case .told: tell()
        default: change(event)
        }
        judge(event, version, standing, failures)
    }

    private mutating func begin() {
        // What is in the row is learnt with the claim.
        hasClaim = true
        tell()
        guard machine.phase == .queued, let version = row.version else { return }
        inFlight = version
        follow(machine.begun(version: version, occasion))
    }

    private mutating func end(_ body: (inout Interleaving, Int64) -> Void) {
        guard let version = inFlight else { return }
        inFlight = nil
        body(&self, version)
    }

    private mutating func granted(isRotated: Bool, using version: Int64) {
        serial += 1
        let new = isRotated ? Secret("r\(serial)") : nil
        let answer = TokenAnswer(
            accessToken: Secret("a\(serial)"),
            life: TokenLife(sentAt: now, lifetime: .seconds(900)),
            newRefreshToken: new,
            isJournaled: isRotated && isJournaled
        )
        givenFor["a\(serial)"] = version
        if let new {
            givenFor[new.reveal()] = version
            if version == machine.grantVersion, row.version == version { mustKeep = (new, version) }
        }
        refusals[version] = 0
        let isUnaware = machine.isUnaware(of: version)
        let step = isUnaware ? machine.recovered(answer, occasion) : machine.granted(answer, using: version, occasion)
        follow(step)
    }

    private mutating func store() {
        guard let write else { return }
        self.write = nil
        let text = write.answer.accessToken.reveal()
        let isStored = row.version == write.used && (!write.isClaimed || hasClaim)
        if isStored {
            if let new = write.answer.newRefreshToken { row.version = Self.version(of: new) }
            (row.token, row.expiresAt) = (text, write.answer.life.expiresAt.wall)
            storedAs[text] = row.version
        }
        if write.isClaimed { hasClaim = false }
        // Whoever has gone on does not hear of it.
        guard case .storing(let answer, _) = machine.phase, answer == write.answer else { return }
        if isStored, let version = row.version {
            lastTold = row
            follow(machine.stored(grantVersion: version, occasion))
        } else {
            follow(write.isClaimed ? machine.fenced(occasion) : machine.superseded(occasion))
        }
    }

    private mutating func storeSalvage() {
        guard let salvage else { return }
        self.salvage = nil
        let isStored = row.version == salvage.used || row.version == Self.version(of: salvage.token)
        if isStored { row.version = Self.version(of: salvage.token) }
        guard machine.phase == .salvaging(salvage.token) else { return }
        if isStored { lastTold = row }
        follow(
            isStored
                ? machine.salvaged(grantVersion: Self.version(of: salvage.token), occasion)
                : machine.salvageSuperseded(occasion)
        )
    }

    /// Numbers that no other refresh token has.
    private static func version(of token: Secret) -> Int64 { Int64(token.reveal().dropFirst()) ?? 0 }

    private mutating func tell() {
        (lastTold, wantsReread) = (row, false)
        if let keep = mustKeep, row.version != keep.used { mustKeep = nil }
        follow(machine.rowChanged(Self.grantRow(row), occasion))
    }

    private mutating func change(_ event: Event) {
        serial += 1
        switch event {
        case .connected: row.version = serial
        case .refreshedElsewhere, .rotatedElsewhere:
            hasClaim = false
            if event == .rotatedElsewhere { row.version = serial }
            (row.token, row.expiresAt) = ("o\(serial)", now.wall + .seconds(950))
            if let version = row.version { givenFor["o\(serial)"] = version }
        case .emptied:
            before = row
            row = Row()
        default:
            row = before ?? row
            before = nil
        }
    }

    private mutating func follow(_ step: Step) {
        switch step.effect {
        case .store(let answer):
            let text = answer.accessToken.reveal()
            if givenFor[text] != machine.grantVersion {
                broke(.answersBelongToTheirGrant, "\(text) is stored for \(machine.grantVersion)")
            }
            write = Write(answer: answer, used: machine.grantVersion, isClaimed: hasClaim)
        case .salvage(let token):
            if givenFor[token.reveal()] != machine.grantVersion {
                broke(.answersBelongToTheirGrant, "\(token.reveal()) is salvaged for \(machine.grantVersion)")
            }
            salvage = (token, machine.grantVersion)
        case .publish(let answer):
            let text = answer.accessToken.reveal()
            if givenFor[text] != machine.grantVersion, storedAs[text] != machine.grantVersion {
                broke(.answersBelongToTheirGrant, "\(text) is handed out for \(machine.grantVersion)")
            }
        case .adopt: refusals = [:]
        case .reread: wantsReread = true
        case .none, .enqueue, .withdraw: break
        }
    }
}

// MARK: - The laws

extension Interleaving {
    private mutating func broke(_ law: Law, _ words: String) {
        if broken[law] == nil { broken[law] = words }
    }

    private mutating func judge(
        _ event: Event,
        _ version: Int64,
        _ standing: GrantStateMachine.Standing,
        _ failures: Int
    ) {
        if machine.standing != standing, machine.isGivenUp {
            let count = refusals[machine.grantVersion] ?? 0
            if count < 2 { broke(.twoRefusalsRefuse, "\(machine.grantVersion) is given up after \(count) refusals") }
        }
        if version != machine.grantVersion, event != .written, event != .salvaged {
            let isCarried =
                (machine.streak?.refusedSince != nil) || machine.streak?.hasLostReply == true || machine.isGivenUp
            let words = "\(version)'s failures are held against \(machine.grantVersion)"
            if isCarried { broke(.failuresCountForTheirOwnGrant, words) }
        }
        if let keep = mustKeep {
            if row.version != keep.used { mustKeep = nil }
            let isKept = row.version != keep.used || machine.holds(keep.token)
            if !isKept { broke(.newRefreshTokensAreKept, "\(keep.token.reveal()) is let go of") }
        }
        let isStuck = machine.isStuck(inFlight, write != nil, salvage != nil)
        if isStuck { broke(.nothingStandsStill, "\(machine.phase)") }
    }

    /// Delivers all that is under way, and what comes of it.
    mutating func settle() {
        for _ in 0..<60 {
            let next: Event? =
                if write != nil { .written } else if salvage != nil { .salvaged } else if inFlight != nil {
                    .granted
                } else if isPossible(.told) { .told } else if isPossible(.begun) {
                    .begun
                } else if machine.isOnItsWay(now) {
                    .due
                } else { nil }
            guard let next, isPossible(next) else { break }
            apply(next)
        }
        let isKnown = machine.grantVersion == row.version ?? 0
        let isAlive = row.version == nil || machine.isGivenUp || machine.life?.isAlive(at: now) == true
        let words = "\(machine.grantVersion) \(machine.phase), the row has \(row)"
        if !isKnown || !isAlive { broke(.allEndsAsTheRowSays, words) }
    }
}

extension GrantStateMachine {
    /// Whether only a person can mend it.
    fileprivate var isGivenUp: Bool {
        switch standing {
        case .refused, .unknownOutcome: true
        case .good, .noGrant, .unreadable: false
        }
    }

    /// Whether something goes on, or failed and is tried again.
    fileprivate func isOnItsWay(_ now: Moment) -> Bool {
        guard standing == .good, deadline != nil else { return false }
        return phase != .resting || streak != nil || life?.isAlive(at: now) != true
    }

    fileprivate func holds(_ newRefreshToken: Secret) -> Bool {
        switch phase {
        case .storing(let answer, _): answer.newRefreshToken == newRefreshToken
        case .salvaging(let token): token == newRefreshToken
        case .resting, .queued, .elsewhere, .inDoubt, .refreshing: false
        }
    }

    fileprivate func isStuck(_ inFlight: Int64?, _ isWriting: Bool, _ isSalvaging: Bool) -> Bool {
        switch phase {
        case .refreshing: inFlight == nil
        case .queued: false
        case .storing: !isWriting && deadline == nil
        case .salvaging: !isSalvaging && deadline == nil
        case .resting, .elsewhere, .inDoubt: standing == .good && deadline == nil
        }
    }
}

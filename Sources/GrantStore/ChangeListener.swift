// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Logging
import TokenCore

/// Listens to what the trigger on the application's table tells, on a connection of its own.
///
/// A transaction pooler takes LISTEN, and delivers nothing. So nobody is believed: a NOTIFY is sent through another
/// connection, and only when it arrives here are notifications relied upon. That is done after every new connection, and
/// again and again, which also notices a connection that died in silence.
struct ChangeListener: Sendable {
    /// What the listener needs of its surroundings.
    struct Surroundings: Sendable {
        /// Whether the trigger is there.
        let trigger: @Sendable () async throws(StoreFailure) -> TriggerStatus
        /// Sends a payload to the channel, through another connection.
        let notify: @Sendable (String) async throws(StoreFailure) -> Void
    }

    /// What it goes by, and who it is.
    struct Settings: Sendable {
        /// Between two looks at whether notifications arrive, or whether there is a trigger now.
        let checkEvery: Duration
        /// How long one's own NOTIFY may take to arrive.
        let proofDeadline: Duration
        /// Jitter for the backoff, and the payloads that cannot be mistaken.
        let draw: RandomShare
        /// Told when the way changes.
        let logger: Logger
        /// This daemon's id: what it tells the others is no news to itself.
        let owner: String
    }

    /// Why there is nothing to listen to for now.
    private enum Silence: Error {
        case noTrigger(TriggerStatus)
        case undelivered(Duration)
        case failed(StoreFailure)
        case calledOff

        /// What of it is worth a line of the log when it changes; the words of a failure change with every try.
        var kind: Kind {
            switch self {
            case .noTrigger(let status): .noTrigger(status)
            case .undelivered: .undelivered
            case .failed(let failure): .failed(failure.kind)
            case .calledOff: .calledOff
            }
        }

        enum Kind: Hashable {
            case noTrigger(TriggerStatus)
            case undelivered
            case failed(StoreFailure.Kind)
            case calledOff
        }
    }

    /// Of more users at once, it is only told that there are more.
    private static let mostUsers = 10_000
    private static let proofPrefix: Character = "p"

    private let session: PostgresSession
    private let surroundings: Surroundings
    private let settings: Settings
    private let board: ChangeFeedBoard

    /// Listens on a session that nobody else uses, and shows on the board how that goes.
    init(
        on session: PostgresSession,
        _ surroundings: Surroundings,
        _ settings: Settings,
        showing board: ChangeFeedBoard
    ) {
        self.session = session
        self.surroundings = surroundings
        self.settings = settings
        self.board = board
    }

    /// Hands over news until the task is cancelled; connects again, with backoff, as often as it takes.
    func run(_ receive: @Sendable (ChangeNews) async -> Void) async {
        var schedule = ReconnectSchedule()
        var told: Silence.Kind?
        while !Task.isCancelled {
            var wasListening = false
            let silence = await listen(receive, &wasListening)
            guard !Task.isCancelled else { break }
            note(silence, isNews: wasListening || told != silence.kind)
            told = silence.kind
            if wasListening { schedule.reset() }
            switch silence {
            case .noTrigger, .undelivered: await session.pause(settings.checkEvery)
            case .failed: await session.pause(schedule.next(random: settings.draw))
            case .calledOff: break
            }
        }
        session.close()
    }

    /// Tries once whether a NOTIFY arrives, whatever triggers there are; gives why not, and nil if it does. Listens no more
    /// afterwards.
    func tryOnce() async -> String? {
        defer { session.unlisten() }
        do throws(Silence) {
            try await failing { () async throws(StoreFailure) in try await self.session.listen() }
            _ = try await prove()
            return nil
        } catch {
            return Self.words(error)
        }
    }

    private func listen(
        _ receive: @Sendable (ChangeNews) async -> Void,
        _ isListening: inout Bool
    ) async -> Silence {
        do throws(Silence) {
            try await checkTrigger()
            try await failing { () async throws(StoreFailure) in try await self.session.listen() }
            var missed = try await prove()
            isListening = true
            note()
            // Whatever happened while nobody listened was not told.
            await receive(.unknown)
            while true {
                for news in Self.news(missed, for: settings.owner) { await receive(news) }
                missed = try await next()
            }
        } catch {
            session.unlisten()
            return error
        }
    }

    /// The next payloads; after a while without any, it is tried whether they would arrive.
    private func next() async throws(Silence) -> [String] {
        let payloads = try await failing { () async throws(StoreFailure) in
            try await self.session.nextNotifications(within: self.settings.checkEvery)
        }
        guard payloads.isEmpty else { return payloads }
        guard !Task.isCancelled else { throw .calledOff }
        try await checkTrigger()
        return try await prove()
    }

    private func checkTrigger() async throws(Silence) {
        let status = try await failing(surroundings.trigger)
        guard status == .present else { throw .noTrigger(status) }
    }

    /// Sends a word through another connection and waits until it arrives here.
    ///
    /// - Returns: what arrived besides.
    private func prove() async throws(Silence) -> [String] {
        let proof = "\(Self.proofPrefix)\(UInt64(settings.draw() * 0x1p53))"
        try await failing { () async throws(StoreFailure) in try await self.surroundings.notify(proof) }
        let deadline = session.deadline(after: settings.proofDeadline)
        var others: [String] = []
        repeat {
            let payloads = try await failing { () async throws(StoreFailure) in
                try await self.session.nextNotifications(within: deadline.remaining)
            }
            others += payloads.filter { $0 != proof }
            if payloads.contains(proof) { return others }
            guard !Task.isCancelled else { throw .calledOff }
        } while !deadline.isOver
        throw .undelivered(settings.proofDeadline)
    }

    private func failing<Value: Sendable>(
        _ call: () async throws(StoreFailure) -> Value
    ) async throws(Silence) -> Value {
        do throws(StoreFailure) {
            return try await call()
        } catch {
            throw .failed(error)
        }
    }

    /// What payloads say to the daemon of that id. Anybody may send to the channel, so what is not understood is left alone.
    static func news(_ payloads: [String], for owner: String) -> [ChangeNews] {
        var (changed, released): (Set<UserID>, Set<UserID>) = ([], [])
        for payload in payloads {
            if payload.first == ChangeTrigger.userPrefix {
                changed.insert(UserID(String(payload.dropFirst())))
            } else if let told = DaemonNews(payload), told.owner != owner {
                switch told.kind {
                case .stored: changed.formUnion(told.users)
                case .released: released.formUnion(told.users)
                }
            }
        }
        var news: [ChangeNews] = []
        if payloads.contains(ChangeTrigger.everything) || changed.count > mostUsers {
            news.append(.unknown)
        } else if !changed.isEmpty {
            news.append(.users(changed))
        }
        return released.isEmpty ? news : news + [.released(released)]
    }
}

// MARK: - Words

extension ChangeListener {
    private func note() {
        if board.show(.notifications) { settings.logger.notice("changes are told by the database") }
    }

    private func note(_ silence: Silence, isNews: Bool) {
        let words = Self.words(silence)
        guard board.show(.polling(reason: words)), isNews else { return }
        let level: Logger.Level = if case .noTrigger = silence { .notice } else { .warning }
        settings.logger.log(level: level, "changes are found by polling", metadata: ["reason": "\(words)"])
    }

    private static func words(_ silence: Silence) -> String {
        switch silence {
        case .noTrigger(.outdated):
            "The trigger on the table is not as this version makes it: run tastytokend migrate."
        case .noTrigger: "There is no trigger on the table: run tastytokend migrate."
        case .undelivered(let limit):
            "LISTEN was accepted, but a NOTIFY did not arrive within \(limit), as behind a transaction pooler: set "
                + "database.listenUrl to a direct connection."
        case .failed(let failure): "\(failure)"
        case .calledOff: "The daemon ends."
        }
    }
}

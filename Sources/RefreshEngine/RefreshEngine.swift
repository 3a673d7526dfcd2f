// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import CoreMetrics
import Dispatch
package import Logging
import Synchronization
package import TokenCore

/// Drives the machines: one actor on one queue with one alarm, however many accounts.
///
/// This file holds its state and what callers ask of it. Inputs reach the machines through one place, `RefreshEngine+Steps`.
///
/// - A refresh: `+Refreshing` takes it from the line to the call's end, `+Claims` says what claims tell of other daemons' calls, and
///   ends them; `+Storing` has its answer written, `+Salvaging` what is saved of a broken one, `+Journaling` both on this host's disk.
/// - Refreshes that are ordered: `+Ordering`. Without a database: `+Unclaimed` and `+Keeping`. What stops all of them: `+Breaking`.
/// - Rows: `+Loading`, `+Reconciling` and `+Rereading`, `+Spent` for those that went back in time.
/// - OAuth clients: `+Clients`, and the lane that each has, ``ClientLane``.
/// - Beginning and end: `+Running`; other settings in between: `+Reconfiguring`.
/// - What callers may know of accounts: `+Reporting`; what happens to them is told in `+Telling`, and counted in `+Measuring`.
package actor RefreshEngine {
    /// The queue that everything in here runs on; the alarm must ring on it too.
    nonisolated let executor: QueueExecutor
    nonisolated let board: TokenBoard
    nonisolated let feed: EventFeed
    nonisolated let loaded = Atomic<Bool>(false)
    var configuration: EngineConfiguration
    var lanes: ClientLanes
    /// Accounts whose client is not known here yet.
    var awaitingClient: Set<UserID> = []
    var isLearningClients = false
    let store: any GrantStoring
    let journal: any ReplyJournaling
    let endpoint: any TokenRequesting
    let hands: any AccountsInHand
    let renderer: any TokenRendering
    let clock: ClockReading
    let draw: @Sendable () -> Double
    let logger: Logger
    let metrics: RefreshMetrics

    var table: AccountTable
    var capacityWatch = CapacityWatch()
    /// How long the token lives that was given last; what the capacity is reckoned with.
    var usualLifetime = RefreshPolicy.supposedLifetime
    var census = Census()
    /// Accounts by their deadlines.
    var due: DueQueue
    /// The claims with which calls are made and their answers stored.
    var claims: [UserID: Claim] = [:]
    /// Refresh tokens for the time in which the database is away.
    var kept: KeptGrants
    /// Refresh tokens that were replaced, and what took the place of each account's last one.
    var spent: SpentGrants
    /// Accounts whose successor is being put back.
    var puttingBack: Set<UserID> = []
    /// Who is to be kept next.
    var keepingOrder = KeepingOrder()
    var isKeeping = false
    /// Set while the database was found away, to when it is asked again.
    var storeAwayUntil: Moment?
    /// What the database's being away was told with; nil while it is there.
    var storeFailure: StoreFailure?
    /// Set while no account can be claimed although the database is there, to when that is tried again; nil while they can be.
    var claimsAwayUntil: Moment?
    /// Accounts of which the journal may have an entry.
    var journaled: Set<UserID> = []
    /// Accounts whose entries the journal need not keep any more.
    var pendingSettles: [UserID] = []
    /// Why the journal could not be written; nil while it can be.
    var journalFailure: JournalFailure?
    /// Set while it could not be written just now, to when that is tried again for calls that are about to be made.
    var journalAwayUntil: Moment?
    /// Accounts whose answer is offered to the journal once more.
    var offeredAgain: Set<UserID> = []
    /// What the process before left in the journal, until the account's row is read.
    var recovered: [UserID: JournalEntry] = [:]
    var isJournalRead = false
    var pendingEnds: [UserID: ClaimEnd] = [:]
    var isEnding = false
    /// Accounts that failed because the store was away; it answering again wakes just these.
    var storeVictims: Set<UserID> = []
    var attempts: [UserID: Attempt] = [:]
    var lastAttempt: UInt64 = 0
    /// The numbers of the attempts whose answers are being stored, for the log.
    var storingAttempts: [UserID: UInt64] = [:]
    var attemptLog = AttemptLog()
    /// How many accounts have which status, as time goes by.
    var statuses = StatusTally()
    /// Accounts whose answer is not in the database yet.
    var unstored = 0
    /// Those of them whose answer is not handed out either: more than a copy would be lost.
    var unpublished = 0
    /// Answers in line for their rows, and those whose rows another session holds.
    var writes = WriteLine()
    var lockedWrites = WriteLine()
    /// Users whose rows took long to be written, until they are.
    var slowRows: Set<UserID> = []
    /// New refresh tokens out of replies that were of no other use.
    var salvages = SalvageLine()
    var pendingNotes: [UserID: GrantNote] = [:]
    var isNoting = false
    var pendingRereads: Set<UserID> = []
    var isRereading = false
    /// Listens for news of changed rows.
    var following: Task<Void, Never>?
    var chores = Chores()
    var alarm: (any Alarm)?
    var armedFor: WallTime?
    var heartbeat: @Sendable (AccountTally) -> Void = { _ in }
    var phase: LifePhase = .idle
    var outcome: Result<Void, StoreFailure>?
    var waitingForLoad: [CheckedContinuation<Void, Never>] = []
    var waitingForEnd: [CheckedContinuation<Void, Never>] = []

    /// A refresh call under way.
    struct Attempt: Sendable {
        let number: UInt64
        let begunAt: Moment
        let lane: LaneNumber
    }

    /// Puts the engine together; nothing happens until it is run.
    ///
    /// - Parameters:
    ///   - configuration: rates and limits.
    ///   - client: the OAuth client of the configuration, to which accounts belong unless the store says otherwise.
    ///   - store: where the accounts are.
    ///   - journal: where is kept what must not be lost until the store has it.
    ///   - endpoint: who asks for tokens.
    ///   - hands: where it is written down whose machine is at work.
    ///   - renderer: who makes a token the reply that callers get.
    ///   - seal: closes refresh tokens that are kept for when the database is away.
    ///   - executor: the queue to run on; the alarm given to ``start(_:heartbeat:)`` rings on the same.
    ///   - clock: both clocks.
    ///   - draw: gives random numbers from 0 to 1.
    ///   - logger: told what operators want to know.
    ///   - metrics: makes what ``RefreshMetrics`` records into.
    package init(
        _ configuration: EngineConfiguration,
        client: ClientRegistration,
        store: any GrantStoring,
        journal: any ReplyJournaling,
        endpoint: any TokenRequesting,
        hands: any AccountsInHand = NobodyInHand(),
        renderer: any TokenRendering,
        seal: MemorySeal,
        executor: QueueExecutor,
        clock: @escaping ClockReading,
        draw: @escaping @Sendable () -> Double,
        logger: Logger,
        metrics: any MetricsFactory
    ) {
        let now = clock()
        self.configuration = configuration
        self.store = store
        self.journal = journal
        self.endpoint = endpoint
        self.hands = hands
        self.renderer = renderer
        self.executor = executor
        self.clock = clock
        self.draw = draw
        self.logger = logger
        self.metrics = RefreshMetrics(metrics)
        self.lanes = ClientLanes(ClientLane(client, configuration, self.metrics, at: now))
        let limit = configuration.refreshesWithoutDatabase ? configuration.keptGrants : 0
        self.kept = KeptGrants(limit: limit, seal: seal)
        self.spent = SpentGrants(limit: configuration.keptGrants, seal: seal)
        let board = TokenBoard()
        self.board = board
        self.feed = EventFeed(began: now.wall)
        self.table = AccountTable(slotsOf: board)
        self.due = DueQueue(now: now)
    }

    /// Everything runs on the engine's queue.
    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }
}

extension RefreshEngine: TokenServing {
    /// What the board holds of the account.
    package nonisolated func entry(for user: UserID) -> BoardEntry? {
        board.entry(for: user)
    }

    /// Calls `wake` at the account's next change on the board.
    package nonisolated func onChange(
        of user: UserID,
        after version: UInt64,
        _ wake: @escaping @Sendable () -> Void
    ) -> ChangeWaiter? {
        board.onChange(of: user, after: version, wake)
    }

    /// Forgets a waiter.
    package nonisolated func cancel(_ waiter: ChangeWaiter) {
        board.cancel(waiter)
    }

    /// Brings the account's refresh forward, unless one is under way or it backs off.
    package nonisolated func requestRefresh(of user: UserID) {
        executor.queue.async { self.assumeIsolated { $0.demand(user) } }
    }

    /// Whether every row was loaded once.
    package nonisolated var isReady: Bool { loaded.load(ordering: .acquiring) }

    private func demand(_ user: UserID) {
        guard let slot = table.slot(of: user) else { return }
        apply(slot) { $0.demanded($1) }
        prefer(slot)
        advance()
    }
}

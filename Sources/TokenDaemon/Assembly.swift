// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Enrollment
import Glibc
import GrantStore
import HostSystemd
import Logging
import RefreshEngine
import ReplyJournal
import SocketAPI
import SocketServer
import TokenCipher
import TokenCore
import TokenEndpoint
import WebPages

/// The parts of a daemon, put together from top to bottom; nothing runs yet.
struct Assembly {
    let store: PostgresGrantStore
    /// Keeps on this host what must not be lost.
    let journal: ReplyJournal
    /// Finds out which account daemons die with.
    let quarantine: AccountQuarantine
    private let encryptionMode: Configuration.Encryption.Mode
    /// How the database stands, at the time of the call.
    let database: @Sendable () -> ServiceFacts.Database
    let endpoint: TokenEndpointClient
    let engine: RefreshEngine
    /// Connects accounts because a person said so.
    let connector: AccountConnector
    /// Sends people to TastyTrade, and takes them back.
    let codeFlow: CodeFlow
    /// Looks for what is wrong with accounts.
    private let diagnoser: AccountDiagnoser
    let executor: QueueExecutor
    let server: SocketServer
    let place: SocketPlace
    /// Serves the metrics over TCP as well; nil where nobody asked for that.
    let metricsServer: MetricsServer?
    /// The web pages; nil where they are switched off.
    let pages: WebPages?
    /// How long a stop may wait for calls in flight and their writes.
    let drainWithin: Duration
    /// How long connecting an account may take at most, as callers of the socket wait for it.
    var connectingWithin: Duration { budget.limits.enrollmentTakes }
    /// How descriptors were shared out at the start; callers keep their part for as long as the daemon runs.
    private let budget: DescriptorBudget
    private let logger: Logger

    init(
        _ configuration: Configuration,
        sockets: InheritedSockets,
        environment: [String: String],
        version: String,
        clock: @escaping ClockReading,
        logger: Logger
    ) throws(DaemonFailure) {
        let draw = SystemDraw().reading
        guard let client = configuration.tastytrade.client else {
            throw .configuration("tastytrade.clientSecret is not set; without it no token can be refreshed")
        }
        budget = try Self.budget(configuration, logger)
        place = try Self.place(configuration.socket, sockets)
        let identity = DaemonIdentity(in: configuration.journal.path)
        Self.tell(identity, logger)
        let localKey = try LocalKey(in: configuration.journal.path)
        Self.tell(localKey, logger)
        journal = ReplyJournal(
            in: configuration.journal.path,
            RecordSeal(localKey.seal(for: "reply-journal")),
            reasonItCannotLast: localKey.reasonItPasses
        )
        let folder = AccountQuarantine.folder(environment, else: configuration.journal.path)
        quarantine = AccountQuarantine(in: folder, logger)
        encryptionMode = configuration.encryption.mode
        let tokens = TokenColumns(configuration.encryption.sealing, in: configuration.tastytrade.environment)
        store = PostgresGrantStore(
            configuration: StoreConfiguration(configuration, owner: identity.id, tokens, quarantine.hands),
            clock: clock,
            random: draw,
            logger: logger
        )
        database = { [store, journal] in
            ServiceFacts.Database(
                trouble: store.health.lastFailure,
                changes: store.feed.words,
                journal: journal.standing
            )
        }
        endpoint = try Self.endpoint(configuration, version: version, clock)
        executor = QueueExecutor(label: "tastytokend.engine")
        let startedAt = clock().wall
        let metrics = DaemonMetrics(version: version, startedAt: startedAt)
        let settings = EngineConfiguration(configuration, calls: budget.calls)
        drainWithin = settings.drainWithin
        engine = RefreshEngine(
            settings,
            client: client,
            store: store,
            journal: journal,
            endpoint: endpoint,
            hands: quarantine.hands,
            renderer: TokenReplyRenderer(),
            seal: .aes(),
            executor: executor,
            clock: clock,
            draw: draw,
            logger: logger,
            metrics: metrics.registry
        )
        connector = AccountConnector(
            ConfiguredClient(client, configuration.tastytrade),
            store: store,
            endpoint: endpoint,
            effects: AccountConnector.Effects(engine),
            clock: clock,
            logger: logger
        )
        diagnoser = AccountDiagnoser(
            ConfiguredClient(client, configuration.tastytrade),
            store: store,
            endpoint: endpoint,
            engine: AccountDiagnoser.Knowledge(engine),
            clock: clock
        )
        self.logger = logger
        codeFlow = CodeFlow(
            connector,
            store: store,
            endpoint: endpoint,
            secrets: SystemRandom.secrets,
            clock: clock,
            logger: logger
        )
        pages = try Self.pages(configuration.web, engine, connector, codeFlow, clock, logger)
        server = SocketServer(
            serving: engine,
            enrolling: connector,
            authorizing: codeFlow,
            pages: pages,
            diagnosing: diagnoser,
            clock: clock,
            access: AccessRules(configuration),
            facts: ServiceFacts(version: version, startedAt: startedAt, database: database),
            limits: budget.limits,
            logger: logger,
            metrics: SocketMetrics(metrics.registry) { [engine] in await metrics.text(of: engine) },
            audit: configuration.log.audit
        )
        metricsServer = configuration.metrics.listen.map(server.metricsServer)
    }

    /// Puts to work what of a configuration can change at run time.
    func apply(_ configuration: Configuration, _ change: ConfigurationChange) async {
        server.replaceAccess(with: AccessRules(configuration))
        server.replaceAudit(with: configuration.log.audit)
        // The database is told of it, and every row looked at again.
        if change.hasKeys { await takeKeys(configuration.encryption) }
        guard let secret = configuration.tastytrade.clientSecret else { return }
        await connector.replaceSecret(with: secret)
        await diagnoser.replaceSecret(with: secret)
        let settings = EngineConfiguration(configuration, calls: calls(of: configuration.refresh.maxInFlight))
        await engine.reconfigure(
            RefreshEngine.LiveSettings(
                policy: settings.policy,
                maxInFlight: settings.maxInFlight,
                maxPerSecond: settings.maxPerSecond,
                clientSecret: secret
            )
        )
    }

    /// Why a configuration must not be put to work: it would close all that this daemon sealed until now. That is noticed late
    /// otherwise, when each account's next refresh comes due.
    func objection(to configuration: Configuration, _ change: ConfigurationChange) -> DaemonFailure? {
        let (encryption, key) = (configuration.encryption, store.sealingKeyID)
        guard change.hasKeys, encryption.mode == encryptionMode, !key.isEmpty,
            !encryption.sealing.configuredKeys.contains(where: { $0.ids.contains(key) })
        else { return nil }
        return .configuration(
            "the key \(key), by which this daemon has sealed until now, is not among those of encryption.\(encryption.mode.rawValue): "
                + "put it back, and leave it there until tastytokend reseal says that it can be removed"
        )
    }

    /// Seals and opens with other keys of the same mode; another mode takes a restart.
    private func takeKeys(_ encryption: Configuration.Encryption) async {
        guard encryption.mode == encryptionMode else { return }
        await store.use(encryption.sealing)
        await engine.lookAgainAtUnreadable()
    }

    /// Raises the limit to what so many calls take beside the callers. If that cannot be, says so, and gives how many can be
    /// made.
    private func calls(of wanted: Int) -> Int {
        let needed = budget.needed(forCalls: wanted)
        let limit = DescriptorLimit.raise(to: needed)
        let calls = budget.calls(of: wanted, within: limit)
        guard calls < wanted else { return calls }
        logger.warning(
            "there are fewer descriptors than callers and refresh.maxInFlight may take; raise LimitNOFILE= and restart",
            metadata: [
                "descriptors.limit": .stringConvertible(limit),
                "descriptors.needed": .stringConvertible(needed),
                "socket.connections": .stringConvertible(budget.limits.connections),
                "refresh.calls": .stringConvertible(calls),
            ]
        )
        return calls
    }

    private static func tell(_ identity: DaemonIdentity, _ logger: Logger) {
        guard let reason = identity.reasonItPasses else { return }
        logger.notice(
            "daemon has no lasting id, its claims must run out after a crash",
            metadata: ["reason": "\(reason)"]
        )
    }

    private static func tell(_ key: LocalKey, _ logger: Logger) {
        guard let reason = key.reasonItPasses else { return }
        logger.notice(
            "daemon has no lasting key, what it seals on this host opens until it ends",
            metadata: ["reason": "\(reason)"]
        )
    }

    /// Shares out the descriptors that there are, or can be had; says so if callers, or calls, get fewer than usual.
    private static func budget(
        _ configuration: Configuration,
        _ logger: Logger
    ) throws(DaemonFailure) -> DescriptorBudget {
        let calls = configuration.refresh.maxInFlight
        let listeners =
            (configuration.metrics.listen == nil ? 0 : MetricsServer.mostDescriptors)
            + (configuration.web.isEnabled ? WebPages.mostDescriptors : 0)
        let needed = DescriptorBudget.needed(forCalls: calls, listeners: listeners)
        let limit = DescriptorLimit.raise(to: needed)
        let least = DescriptorBudget.least(listeners: listeners)
        guard limit >= least else {
            throw .system(
                "\(limit) descriptors may be open, and \(least) are the fewest with which the daemon works, \(needed) what it "
                    + "should have: raise LimitNOFILE=, or `ulimit -n`"
            )
        }
        let usual = SocketLimits(
            configuration.refresh,
            StoreConfiguration(configuration, owner: "", .asTheyStand)
        )
        let budget = DescriptorBudget(limit: limit, calls: calls, listeners: listeners, usual: usual)
        if budget.isTight() {
            logger.warning(
                "fewer connections than usual are taken, so that descriptors are left; raise LimitNOFILE=",
                metadata: [
                    "descriptors.limit": .stringConvertible(budget.limit),
                    "descriptors.set_aside": .stringConvertible(budget.setAside),
                    "descriptors.needed": .stringConvertible(needed),
                    "socket.connections": .stringConvertible(budget.limits.connections),
                    "refresh.calls": .stringConvertible(budget.calls),
                ]
            )
        }
        return budget
    }

    private static func endpoint(
        _ configuration: Configuration,
        version: String,
        _ clock: @escaping ClockReading
    ) throws(DaemonFailure) -> TokenEndpointClient {
        var settings = EndpointConfiguration(version: version)
        settings.connectTimeout = configuration.refresh.connectTimeout
        settings.timeout = configuration.refresh.timeout
        // The engine counts its calls, and their number may change; here is only no need for a second count.
        settings.maxConnections = Configuration.Refresh.mostInFlight
        settings.caFile = configuration.tastytrade.caFile
        do {
            return try TokenEndpointClient(settings, clock: clock)
        } catch {
            throw .configuration("tastytrade.caFile: \(error)")
        }
    }

    private static func pages(
        _ settings: Configuration.Web,
        _ engine: RefreshEngine,
        _ connector: AccountConnector,
        _ codeFlow: CodeFlow,
        _ clock: @escaping ClockReading,
        _ logger: Logger
    ) throws(DaemonFailure) -> WebPages? {
        guard settings.isEnabled else { return nil }
        let (host, port) = (settings.listen.host, settings.listen.port)
        do {
            return try WebPages(
                WebConfiguration(publicURL: settings.publicURL, host: host, port: port),
                serving: engine,
                enrolling: connector,
                authorizing: codeFlow,
                secrets: SystemRandom.secrets,
                clock: clock,
                logger: logger
            )
        } catch {
            throw .system("the web pages cannot be made: \(error)")
        }
    }

    /// The socket that the service manager opened under the name `api`, else the configured path.
    private static func place(
        _ settings: Configuration.Socket,
        _ sockets: InheritedSockets
    ) throws(DaemonFailure) -> SocketPlace {
        do {
            if let descriptor = try sockets.listeners(named: "api").first { return .inherited(descriptor) }
        } catch {
            throw .configuration("\(error)")
        }
        return .path(settings.path, mode: UInt32(settings.mode), group: settings.group)
    }
}

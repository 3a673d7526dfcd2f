// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import InMemoryLogging
import Logging
import MetricsText
import RefreshEngine
import TestSupport
import Testing
import TokenCore

/// An engine on doubles: a clock that stands still, an alarm that rings on demand, an endpoint that the test answers.
struct EngineFixture: Sendable {
    let clock = ManualClock()
    let alarm = ManualAlarm()
    let endpoint = ScriptedEndpoint()
    let log: InMemoryLogHandler
    let metrics = MetricRegistry(RefreshMetrics.descriptions)
    let store: RecordingStore
    let journal: RecordingJournal
    let hands = RecordingHands()
    let engine: RefreshEngine
    static let client = ClientRegistration(
        name: "default",
        environment: .sandbox,
        clientID: nil,
        clientSecret: Secret("s"),
        apiURL: "http://localhost"
    )

    init(
        _ rows: [UserID: RecordingStore.Row],
        _ configuration: EngineConfiguration = EngineConfiguration(),
        log: InMemoryLogHandler = InMemoryLogHandler()
    ) {
        self.init(RecordingStore(rows), configuration, log: log)
    }

    init(
        _ store: RecordingStore,
        _ configuration: EngineConfiguration = EngineConfiguration(),
        journal: RecordingJournal = RecordingJournal(),
        log: InMemoryLogHandler = InMemoryLogHandler()
    ) {
        self.store = store
        self.journal = journal
        self.log = log
        engine = RefreshEngine(
            configuration,
            client: Self.client,
            store: store,
            journal: journal,
            endpoint: endpoint,
            hands: hands,
            renderer: BareRenderer(),
            seal: .standIn,
            executor: QueueExecutor(label: "engine.test"),
            clock: clock.reading,
            draw: { 0.5 },
            logger: Logger(label: "test") { [log] _ in log },
            metrics: metrics
        )
    }

    /// Starts the engine and waits until every row is loaded.
    func start() async {
        await engine.start(alarm)
        await settled { engine.isReady }
    }

    /// Lets time go by and rings.
    func advance(by duration: Duration) async {
        clock.advance(by: duration)
        await engine.alarmRang()
    }

    /// Waits until the condition holds, one turn of the engine's queue after another. Tests carry a time limit.
    func settled(_ condition: () async -> Bool) async {
        while !(await condition()) {
            guard !Task.isCancelled else {
                Issue.record("the time limit is over, and the condition does not hold")
                return
            }
            _ = await engine.report(on: UserID("nobody"))
            await Task.yield()
        }
    }

    /// Lets the engine and its tasks come to rest, as far as they can without time going by.
    func turn() async {
        for _ in 0..<100 {
            _ = await engine.report(on: UserID("nobody"))
            await Task.yield()
        }
    }

    func answer(_ token: String, lives: Duration = .seconds(900), rotated: String? = nil) -> TokenAnswer {
        TokenAnswer(
            accessToken: Secret(token),
            life: TokenLife(sentAt: clock.now, lifetime: lives),
            newRefreshToken: rotated.map { Secret($0) }
        )
    }

    func token(of user: UserID) -> String? {
        engine.entry(for: user)?.token?.bareToken
    }
}

extension MemorySeal {
    /// Turns the bytes round, so that what is kept is not what it was.
    static let standIn = MemorySeal(
        close: { Array($0.reveal().utf8.reversed()) },
        open: { Secret(String(decoding: $0.reversed(), as: UTF8.self)) }
    )
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Enrollment
import InMemoryLogging
import Logging
import TestSupport
import TokenCore

/// A connector over doubles, with a row of user 42.
struct ConnectorFixture {
    static let user = UserID("42")

    let table = TableDouble()
    let endpoint = ScriptedEndpoint()
    let clock = ManualClock()
    let log = InMemoryLogHandler()
    /// What the engine was told.
    let told = Mailbox<String>()
    /// What the engine says when it is asked; nothing stands in the way unless a test says so.
    let engine = EngineDouble()
    let connector: AccountConnector

    /// The configuration's client may have no id.
    init(clientID: String? = Self.registration.clientID) {
        var logger = Logger(label: "test") { [log] _ in log }
        logger.logLevel = .trace
        table.set(Self.user, TableDouble.Row(refreshToken: "old", accessToken: "a0"))
        connector = AccountConnector(
            ConfiguredClient(
                ClientRegistration(
                    name: Self.registration.name,
                    environment: Self.registration.environment,
                    clientID: clientID,
                    clientSecret: Self.registration.clientSecret,
                    apiURL: Self.registration.apiURL
                ),
                authorizeURL: "https://cert-my.staging-tasty.works/auth.html",
                redirectURI: "http://localhost:3000/tastytrade/oauth/callback",
                scopes: ["read", "trade"]
            ),
            store: table,
            endpoint: endpoint,
            effects: AccountConnector.Effects(
                rowWasWritten: { [told] user, isProven in told.send("row \(user) \(isProven ? "proven" : "open")") },
                clientsWereChanged: { [told] in told.send("clients") },
                refresh: { [told, engine] user in
                    told.send("refresh \(user)")
                    return engine.verdict
                },
                accountsWithGrant: { 3 },
                obstacle: { [engine] _ in engine.leave() },
                callEnded: { [engine] user, client, _, failure in
                    engine.note("\(user) \(client ?? "default") \(failure?.kind.rawValue ?? "granted")")
                }
            ),
            clock: clock.reading,
            logger: logger
        )
    }

    static let registration = ClientRegistration(
        name: "default",
        environment: .sandbox,
        clientID: "0b6e1d6c-3f6d-4d6e-9a57-0d1c7c0f5a11",
        clientSecret: Secret("0123456789abcdef0123456789abcdef01234567"),
        apiURL: "https://api.cert.tastyworks.com"
    )

    static func client(
        _ name: String = "second",
        secret: Result<Secret, SharedSecretFailure> = .success(Secret("89abcdef0123456789abcdef0123456789abcdef")),
        _ environment: TradeEnvironment = .production
    ) -> StoredClient {
        StoredClient(
            name: name,
            environment: environment,
            clientID: "6e1d6c0b-3f6d-4d6e-9a57-0d1c7c0f5a11",
            clientSecret: secret,
            redirectURI: "https://app.example/tastytrade/oauth/callback",
            scopes: ["read"]
        )
    }

    func answer(_ token: String, rotated: String? = nil) -> TokenAnswer {
        TokenAnswer(
            accessToken: Secret(token),
            life: TokenLife(sentAt: clock.now, lifetime: .seconds(900)),
            newRefreshToken: rotated.map { Secret($0) }
        )
    }

    /// Connects, with one call answered so.
    func connect(
        _ pasted: String,
        of client: String? = nil,
        _ result: Result<TokenAnswer, RefreshFailure>
    ) async -> Result<[String], EnrollmentFailure> {
        async let notes = attempt(pasted, of: client)
        let call = await endpoint.nextCall()
        switch result {
        case .success(let answer): call.answer(answer)
        case .failure(let failure): call.fail(failure)
        }
        return await notes
    }

    /// Connects, without anybody who answers.
    func attempt(_ pasted: String, of client: String? = nil) async -> Result<[String], EnrollmentFailure> {
        do throws(EnrollmentFailure) {
            return .success(try await connector.connect(Self.user, with: Secret(pasted), of: client))
        } catch {
            return .failure(error)
        }
    }

    /// All that was logged, in one text.
    var logged: String { log.entries.map { "\($0.message) \($0.metadata)" }.joined(separator: "\n") }
}

extension Result where Success == [String], Failure == EnrollmentFailure {
    /// Why it failed; nil if it did not.
    var failure: EnrollmentFailure? {
        if case .failure(let failure) = self { failure } else { nil }
    }

    /// What was said; nil if it failed.
    var notes: [String]? { try? get() }
}

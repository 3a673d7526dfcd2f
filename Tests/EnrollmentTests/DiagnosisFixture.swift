// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Enrollment
import Synchronization
import TestSupport
import TokenCore

/// A diagnoser over doubles, with a healthy account of user 42.
final class DiagnosisFixture: Sendable {
    static let user = UserID("42")
    static let other = "6e1d6c0b-3f6d-4d6e-9a57-0d1c7c0f5a11"

    private struct State {
        var explanations: [UserID: GrantExplanation] = [:]
        var served: [UserID: AccountDiagnoser.ServedToken] = [:]
        var overtaking: (@Sendable () -> Void)?
    }

    let table = TableDouble()
    let endpoint = ProbingDouble()
    let clock = ManualClock()
    private let state = Mutex(State())

    /// Puts a healthy account into its place.
    init() {
        explain(.active)
        serve("served-canary")
        table.set(
            Self.user,
            TableDouble.Row(
                refreshToken: Self.token(),
                accessToken: Self.accessToken,
                expiresAt: Moment.newYear.wall + .seconds(900)
            )
        )
    }

    /// What looks.
    func diagnoser(_ client: ClientRegistration = ConnectorFixture.registration) -> AccountDiagnoser {
        AccountDiagnoser(
            ConfiguredClient(
                client,
                authorizeURL: "https://my.tastytrade.com/auth.html",
                redirectURI: "https://app.example/cb",
                scopes: ["read", "trade"]
            ),
            store: table,
            endpoint: endpoint,
            engine: AccountDiagnoser.Knowledge(
                explanation: { [self] user in state.withLock { $0.explanations[user] } },
                servedToken: { [self] user in
                    state.withLock { $0.overtaking.take() }?()
                    return state.withLock { $0.served[user] }
                }
            ),
            clock: clock.reading
        )
    }

    /// How the engine says that the account stands.
    func explain(
        _ status: GrantStatus?,
        failure: RefreshFailure? = nil,
        refreshedAt: WallTime? = nil,
        of user: UserID = user
    ) {
        let explanation = status.map { status in
            GrantExplanation(
                report: GrantReport(
                    user: user,
                    status: status,
                    environment: .sandbox,
                    client: "default",
                    expiresAt: nil,
                    lastRefreshedAt: refreshedAt,
                    nextRefreshAt: nil,
                    consecutiveFailures: 0,
                    lastError: nil
                ),
                reason: "Because.",
                remedy: status == .active ? nil : "Mend it.",
                next: nil,
                attempts: [],
                failure: failure
            )
        }
        state.withLock { $0.explanations[user] = explanation }
    }

    /// Which token programs are given, and of which client; nil for none.
    func serve(
        _ token: String?,
        of user: UserID = user,
        client: ClientRegistration = ConnectorFixture.registration
    ) {
        let life = TokenLife(sentAt: clock.now, lifetime: .seconds(900))
        state.withLock { state in
            state.served[user] = token.map { AccountDiagnoser.ServedToken(Secret($0), life, of: client) }
        }
    }

    /// What happens just before the token is asked for: all that is known of the account is older.
    func overtake(_ body: @escaping @Sendable () -> Void) { state.withLock { $0.overtaking = body } }

    /// Changes the row.
    func change(_ change: (inout TableDouble.Row) -> Void) {
        var row = table.row(Self.user) ?? TableDouble.Row()
        change(&row)
        table.set(Self.user, row)
    }

    /// An access token that lives for a quarter of an hour.
    static let accessToken = token(type: "at+jwt", more: #","exp":\#(Moment.newYear.wall.seconds + 900)"#)

    /// A token as TastyTrade's are; nobody signed it.
    static func token(
        type: String = "rt+jwt",
        audience: String = ConnectorFixture.registration.clientID ?? "",
        issuer: String = "https://api.cert.tastyworks.com",
        scope: String = "read trade",
        more: String = ""
    ) -> String {
        func encoded(_ text: String) -> String {
            String(decoding: Base64Text.url.encode(Array(text.utf8)), as: UTF8.self)
        }
        let claims =
            #"{"sub":"canary-person","grant_id":"canary-grant","iat":\#(Moment.newYear.wall.seconds - 60),"aud":"\#(audience)","#
            + #""iss":"\#(issuer)","scope":"\#(scope)"\#(more)}"#
        let header = encoded(#"{"typ":"\#(type)","alg":"EdDSA"}"#)
        return "\(header).\(encoded(claims)).\(String(repeating: "A", count: 86))"
    }
}

/// Answers the question for accounts as a test says.
final class ProbingDouble: AccountProbing {
    private struct State {
        var outcome: Result<AccountSummary, AccountProbeFailure> = .success(
            AccountSummary([AccountSummary.Authority.owner])
        )
        var skew: Duration? = .zero
        var isHeld = false
    }

    private let state = Mutex(State())
    private let gate = Mailbox<Void>()
    /// The tokens that were shown, as they come.
    let shown = Mailbox<Secret>()
    /// To whom they were shown: each one's client, beside them.
    let clients = Mailbox<ClientRegistration>()

    /// What is answered, and how far behind this host's clock the other's is; nil for an answer without a `Date`.
    func answer(_ outcome: Result<AccountSummary, AccountProbeFailure>, behind skew: Duration? = .zero) {
        state.withLock { ($0.outcome, $0.skew) = (outcome, skew) }
    }

    /// The next question is answered only when it is let go on.
    func hold() { state.withLock { $0.isHeld = true } }
    /// Lets the question that is held go on.
    func release() { gate.send(()) }

    func probe(_ accessToken: Secret, of client: ClientRegistration) async -> AccountProbe {
        let (state, isHeld) = state.withLock { state in
            defer { state.isHeld = false }
            return (state, state.isHeld)
        }
        shown.send(accessToken)
        clients.send(client)
        if isHeld { await gate.next() }
        let now = Moment.newYear.wall
        return AccountProbe(state.outcome, endpointTime: state.skew.map { now + (.zero - $0) }, endedAt: now)
    }
}

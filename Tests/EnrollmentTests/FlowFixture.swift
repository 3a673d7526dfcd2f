// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Enrollment
import Logging
import TestSupport
import Testing
import TokenCore

/// The code flow over doubles, with a row of user 42.
struct FlowFixture {
    typealias Answer = Result<[String], EnrollmentFailure>

    let base: ConnectorFixture
    let table = AuthorizationTableDouble()
    let exchange = ScriptedExchange()
    let flow: CodeFlow

    var user: UserID { ConnectorFixture.user }
    /// What the row of the user holds.
    var row: TableDouble.Row? { base.table.row(user) }

    init(_ base: ConnectorFixture = ConnectorFixture()) {
        self.base = base
        flow = Self.flow(base, table, exchange)
    }

    /// One more daemon on the same database.
    func anotherDaemon() -> CodeFlow { Self.flow(base, table, exchange) }

    private static func flow(
        _ base: ConnectorFixture,
        _ table: AuthorizationTableDouble,
        _ exchange: ScriptedExchange
    ) -> CodeFlow {
        CodeFlow(
            base.connector,
            store: table,
            endpoint: exchange,
            secrets: secrets,
            clock: base.clock.reading,
            logger: Logger(label: "test") { _ in base.log }
        )
    }

    private static let secrets = CountingSecrets.source()

    /// Sends the user to TastyTrade.
    func begin(_ place: AuthorizationPlace = .socket, client: String? = nil) async throws -> AuthorizationStart {
        try await flow.beginAuthorization(of: user, with: client, from: place)
    }

    /// Comes back, and waits for what comes of it.
    func finish(
        _ state: Secret,
        _ end: AuthorizationEnd = .code(Secret("code")),
        _ place: AuthorizationPlace = .socket,
        at flow: CodeFlow? = nil
    ) async -> Answer {
        do throws(EnrollmentFailure) {
            return .success(
                try await (flow ?? self.flow).finishAuthorization(inState: state, with: end, from: place).notes
            )
        } catch {
            return .failure(error)
        }
    }

    /// The next exchange gives a grant with that refresh token.
    func give(_ refreshToken: String) async -> ScriptedExchange.Call {
        let call = await exchange.calls.next()
        call.answer(refreshToken, at: base.clock.now)
        return call
    }

    /// The next refresh gives that token.
    func prove(_ accessToken: String) async -> Secret {
        let call = await base.endpoint.nextCall()
        call.answer(base.answer(accessToken))
        return call.refreshToken
    }

    /// Why a call fails; nil if it does not.
    func failure(_ body: () async throws -> Void) async -> EnrollmentFailure? {
        do {
            try await body()
            return nil
        } catch {
            return error as? EnrollmentFailure
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Enrollment
import Glibc
import RefreshEngine
import SocketAPI
import SocketServer
import TokenCore

// What the parts are told of the configuration, and of one another.

extension AccessRules {
    /// Takes what the configuration says of callers; the daemon's own user is the process's.
    init(_ configuration: Configuration) {
        self.init(ownUser: geteuid(), configuration.access.compactMap(\.socketRule))
    }
}

extension AccessRule {
    /// The rule as the socket takes it; nil if it is not about callers of the socket.
    fileprivate var socketRule: AccessRules.Rule? {
        if case .caller(let rule) = self { rule } else { nil }
    }
}

extension ConfiguredClient {
    /// Takes what the configuration says of its client.
    init(_ client: ClientRegistration, _ settings: Configuration.TastyTrade) {
        self.init(
            client,
            authorizeURL: settings.authorizeURL,
            redirectURI: settings.redirectURI,
            scopes: settings.scopes
        )
    }
}

extension AccountConnector.Effects {
    /// What an engine does about what was connected.
    init(_ engine: RefreshEngine) {
        self.init(
            rowWasWritten: { user, isProven in await engine.rowWasWritten(of: user, isProven: isProven) },
            clientsWereChanged: { await engine.clientsWereChanged() },
            refresh: { user in await engine.refresh(user) { _ in true } },
            accountsWithGrant: {
                let accounts = await engine.summary().accounts
                return accounts.total - accounts.withoutGrant
            },
            obstacle: { client in await engine.obstacle(ofClient: client) },
            callEnded: { user, client, begunAt, failure in
                await engine.callEnded(for: user, of: client, begunAt: begunAt, failure)
            }
        )
    }
}

extension AccountDiagnoser.Knowledge {
    /// What an engine knows of accounts.
    init(_ engine: RefreshEngine) {
        self.init(
            explanation: { user in await engine.explanation(of: user) },
            servedToken: { user in
                // A published token is written as it stands in replies.
                await engine.servedToken(of: user).map { served in
                    AccountDiagnoser.ServedToken(
                        Secret(String(decoding: JSONText.unescape(served.token.text[...]), as: UTF8.self)),
                        served.token.life,
                        of: served.client
                    )
                }
            }
        )
    }
}

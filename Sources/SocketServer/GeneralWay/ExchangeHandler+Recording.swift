// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Logging
import NIOHTTP1
import TokenCore

/// What is recorded of who asked for what.
extension ExchangeHandler {
    /// Has it recorded if a token is on its way to the caller.
    func record(_ reply: Reply, to target: Target) {
        guard let token = reply.handsOut, let user = target.resource.user, case .caller(let caller) = asker else {
            return
        }
        service.audit.took(token, of: user, by: caller, at: service.clock())
    }

    /// What logs who had an account or a client changed, or asked for a link, once it is known how that ended. Nothing that was sent or
    /// answered is in it.
    func changeRecord(_ method: HTTPMethod, _ target: Target) -> @Sendable (Reply) -> Void {
        guard case .caller(let caller) = asker else { return { _ in } }
        var metadata: Logger.Metadata = [
            LogKey.event: "change.asked", "caller.uid": .stringConvertible(caller.user),
            "caller.pid": .stringConvertible(caller.process), "http.method": "\(method.rawValue)",
            "http.route": "\(target.resource.route)",
        ]
        if let user = target.resource.user { metadata[LogKey.user] = "\(user)" }
        if case .client(let name) = target.resource { metadata[LogKey.client] = "\(SafeText(foreign: name).text)" }
        return { [logger = service.logger, metadata] reply in
            let end: Logger.Metadata = ["http.status": .stringConvertible(reply.status)]
            logger.notice("a change was asked for", metadata: metadata.merging(end) { $1 })
        }
    }
}

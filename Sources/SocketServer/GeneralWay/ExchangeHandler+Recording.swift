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

    /// Logs who had an account or a client changed, or asked for a link, and how that ended. Nothing that was sent or answered is in it.
    func recordChange(_ method: HTTPMethod, _ target: Target, _ reply: Reply) {
        guard case .caller(let caller) = asker else { return }
        var metadata: Logger.Metadata = [
            LogKey.event: "change.asked", "caller.uid": .stringConvertible(caller.user),
            "caller.pid": .stringConvertible(caller.process), "http.method": "\(method.rawValue)",
            "http.route": "\(target.resource.route)", "http.status": .stringConvertible(reply.status),
        ]
        if let user = target.resource.user { metadata[LogKey.user] = "\(user)" }
        if case .client(let name) = target.resource { metadata[LogKey.client] = "\(SafeText(foreign: name).text)" }
        service.logger.notice("a change was asked for", metadata: metadata)
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Hummingbird
import Logging
import TokenCore

/// Signing in and out.
extension WebPages {
    /// The page that a link opens. It spends nothing: whatever opens links ahead of people opens it too.
    func console(_ request: Request) throws -> Response {
        let token = try query(request)["t"]
        guard door.isGood(link: token) else { throw Self.spent }
        return renderer.page(.console, ConsoleView(token: token))
    }

    /// Spends a link for a session.
    func signIn(_ request: Request) async throws -> Response {
        let token = try await form(request)["t"]
        guard let entry = door.spend(link: token) else {
            logger.notice(
                "a link to the web pages was used that is spent, over or none",
                metadata: [LogKey.event: "web.link_refused"]
            )
            throw Self.spent
        }
        logger.notice("somebody signed in to the web pages", metadata: [LogKey.event: "web.signed_in"])
        return redirect(to: "/", cookie: cookie.beginning(entry.token.reveal(), for: ConsoleSessions.sessionLife))
    }

    /// Ends a session.
    func signOut(_ request: Request) async throws -> Response {
        _ = try await form(request, of: try visit(request))
        if let token = cookie.value(in: request) { door.end(token) }
        var response = renderer.response(to: Self.signedOut)
        response.headers[.setCookie] = cookie.ending
        return response
    }

    private static let spent = PageFailure(
        .gone,
        "This link can no longer be used",
        "A link signs in once, within a minute after it was made. This one was used, is too old, or was not copied whole.",
        "Run tastytoken console again, and open the new link."
    )

    private static let signedOut = PageFailure(
        .ok,
        "Signed out",
        "The session in this browser is over.",
        "To come back, run tastytoken console and open the link that it prints."
    )
}

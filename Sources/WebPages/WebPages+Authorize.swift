// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Hummingbird
import Logging
import TokenCore

/// Connecting an account on TastyTrade's own page: the way there.
extension WebPages {
    /// What somebody is about to allow, and for whom; to an operator who has not said yet for whom, the form that asks.
    ///
    /// It begins nothing and spends nothing: whatever opens links ahead of people opens it too.
    func authorize(_ request: Request) async throws -> Response {
        let query = try query(request)
        if query.contains("t") {
            let link = query["t"]
            do throws(EnrollmentFailure) {
                let subject = try await authorizing.authorization(byLink: Secret(link))
                try checkWayBack(of: subject)
                return offer(BeginView(subject, byLink: link), of: subject, to: request)
            } catch {
                return response(to: error, Self.uselessLink, for: nil)
            }
        }
        let visit = try visit(request)
        let choice = AuthorizationChoice(query)
        guard !choice.user.text.isEmpty else {
            let problems = query.contains("user") ? [AuthorizationChoice.noUser] : []
            let view = AuthorizeView(await clientNames(), choice, problems, for: visit)
            return renderer.page(.authorize, view, status: problems.isEmpty ? .ok : .unprocessableContent)
        }
        do throws(EnrollmentFailure) {
            let subject = try await authorizing.authorizationSubject(of: choice.user, with: choice.client)
            try checkWayBack(of: subject)
            return offer(BeginView(subject, for: visit), of: subject, to: request)
        } catch {
            return await refuse(choice, error, for: visit)
        }
    }

    /// Begins an authorization, and sends the browser to TastyTrade.
    func beginAuthorization(_ request: Request) async throws -> Response {
        let fields = try await form(request)
        let secret = browserCookie.secret(in: request) ?? secrets.makeToken()
        if fields.contains("t") {
            do throws(EnrollmentFailure) {
                try await checkWayBack(byLink: Secret(fields["t"]))
                return leave(
                    to: try await authorizing.beginAuthorization(byLink: Secret(fields["t"]), in: secret),
                    with: secret
                )
            } catch {
                return response(to: error, Self.uselessLink, for: nil)
            }
        }
        let visit = try visit(request)
        try visit.check(fields)
        let choice = AuthorizationChoice(fields)
        guard !choice.user.text.isEmpty else {
            let view = AuthorizeView(await clientNames(), choice, [AuthorizationChoice.noUser], for: visit)
            return renderer.page(.authorize, view, status: .unprocessableContent)
        }
        do throws(EnrollmentFailure) {
            // The client may have been changed since its button was shown.
            try checkWayBack(of: try await authorizing.authorizationSubject(of: choice.user, with: choice.client))
            let start = try await authorizing.beginAuthorization(
                of: choice.user,
                with: choice.client,
                from: .browser(secret)
            )
            return leave(to: start, with: secret)
        } catch {
            return await refuse(choice, error, for: visit)
        }
    }

    /// The same for whoever a link is for. One that is spent leads nowhere, or, in the browser that spent it, once more to where it led: that
    /// is for the port to say.
    private func checkWayBack(byLink link: Secret) async throws(EnrollmentFailure) {
        let subject: AuthorizationSubject
        do throws(EnrollmentFailure) {
            subject = try await authorizing.authorization(byLink: link)
        } catch {
            guard error.kind == .invalidState else { throw error }
            return
        }
        try checkWayBack(of: subject)
    }

    /// The page with the button. Its form is answered by a redirect, so that it has to be allowed to lead to TastyTrade; and the browser
    /// is given its cookie here already, so that a second click comes with the same one as the first.
    private func offer(_ view: BeginView, of subject: AuthorizationSubject, to request: Request) -> Response {
        var response = renderer.page(.begin, view)
        let page = (try? WebOrigin(ofPage: subject.page)).map(\.description)
        response.headers[.contentSecurityPolicy] = ContentPolicy.text(formsAlsoTo: page.map { [$0] } ?? [])
        response.headers[.setCookie] = browserCookie.setting(browserCookie.secret(in: request) ?? secrets.makeToken())
        return response
    }

    /// A browser that has its secret keeps it, so that what was begun in two tabs is finished in both.
    private func leave(to start: AuthorizationStart, with secret: Secret) -> Response {
        redirect(to: start.url.reveal(), cookie: browserCookie.setting(secret))
    }

    private func refuse(
        _ choice: AuthorizationChoice,
        _ failure: EnrollmentFailure,
        for visit: Visit
    ) async -> Response {
        let problems = [Problem(failure.text, at: failure.authorizationField)]
        let view = AuthorizeView(await clientNames(), choice, problems, for: visit)
        return renderer.page(.authorize, view, status: failure.status).saying(failure.retryAfter)
    }

    private static let uselessLink = "This link is of no use"
}

extension EnrollmentFailure {
    /// The field of the form that it is about; nil where it is about none.
    fileprivate var authorizationField: String? {
        switch kind {
        case .unknownUser: "user"
        case .unknownClient: "client"
        case .invalid, .grantRefused, .noSealingKey, .invalidState, .tooSoon, .unavailable: nil
        }
    }
}

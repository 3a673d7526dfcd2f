// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import GrantInspection
import Hummingbird
import Logging
import TokenCore

/// Connecting an account on TastyTrade's own page: the way back (hard case H32).
extension WebPages {
    /// What somebody brings along from TastyTrade, and the button that connects the account.
    ///
    /// It spends nothing, an error neither, whence it is harmless however often and by whatever it is opened. That the state outlives
    /// an error is also for whoever declined by mistake: he goes back, allows it, and comes with the same state and a code. It is over
    /// by itself after ten minutes.
    func callback(_ request: Request) async throws -> Response {
        let answer = try CallbackAnswer(try query(request))
        let secret = try browserSecret(request)
        let visit = try? visit(request)
        do throws(EnrollmentFailure) {
            let subject = try await authorizing.authorization(inState: answer.state, from: .browser(secret))
            switch answer.end {
            case .code(let code):
                let view = FinishView(subject, code: code, state: answer.state, formToken: formToken(for: secret))
                return renderer.page(.finish, view)
            case .error(let error):
                let explanation = Explanation(
                    ofAuthorizationError: error,
                    in: subject.environment,
                    for: subject.client
                )
                let link = visit.map { _ in
                    Link(address: AuthorizePage.address(for: subject.user), words: "Begin again")
                }
                return renderer.page(.explanation, ExplanationView(explanation, link: link, for: visit))
            }
        } catch {
            return response(to: error, Self.nothingToFinish, for: visit)
        }
    }

    /// Finishes what was begun. Whoever presses the button twice, or loads the page again, has the same answer once more: the port
    /// promises it.
    func finishAuthorization(_ request: Request) async throws -> Response {
        let fields = try await form(request)
        let secret = try browserSecret(request)
        guard fields.carries(formToken(for: secret)) else { throw Self.otherForm }
        let answer = try CallbackAnswer(fields)
        let visit = try? visit(request)
        do throws(EnrollmentFailure) {
            let (subject, notes) = try await authorizing.finishAuthorization(
                inState: answer.state,
                with: answer.end,
                from: .browser(secret)
            )
            return renderer.page(.connected, ConnectedView(subject, notes, for: visit))
        } catch {
            return await again(answer, secret, after: error) ?? response(to: error, Self.nothingToFinish, for: visit)
        }
    }

    /// The button once more, where the port goes on from where it stopped.
    private func again(_ answer: CallbackAnswer, _ browser: Secret, after failure: EnrollmentFailure) async -> Response?
    {
        guard failure.retryAfter != nil, case .code(let code) = answer.end,
            let subject = try? await authorizing.authorization(inState: answer.state, from: .browser(browser))
        else { return nil }
        let token = formToken(for: browser)
        let view = FinishView(subject, code: code, state: answer.state, formToken: token, after: failure)
        return renderer.page(.finish, view, status: failure.status).saying(failure.retryAfter)
    }

    private func browserSecret(_ request: Request) throws(PageFailure) -> Secret {
        guard let secret = browserCookie.secret(in: request) else { throw Self.noCookie }
        return secret
    }

    /// What the button carries along. Nobody can make it who does not have the cookie, and it does not tell the cookie.
    private func formToken(for browser: Secret) -> String {
        secrets.hash(of: Secret("tastytokend callback form \(browser.reveal())")).hex
    }

    private static let nothingToFinish = "There is nothing to finish here"

    private static let noCookie = PageFailure(
        .forbidden,
        "This browser did not begin it",
        "An account is connected in the browser in which that was begun, and within ten minutes. This one has no cookie of it: it is "
            + "another browser or another profile, its cookies are off, or the ten minutes are over. Nothing was connected.",
        "Open the link in one browser, with cookies allowed for this address, and go to TastyTrade and back in the same. If you began in a "
            + "terminal, finish there."
    )

    private static let otherForm = PageFailure(
        .forbidden,
        "The form is not from this browser",
        "It was opened before this browser was given another cookie, or does not come from these pages. Nothing was connected.",
        "Go back to the page to which TastyTrade sent you, load it again, and press the button there."
    )
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

extension SimulatorService {
    /// Shows the authorize page, or takes its form.
    func answerAuthorize(_ request: SimulatedRequest, at now: SimulatorInstant) -> Delivery {
        let route = AuthorizeRoute(clients: update { $0.clients })
        do throws(AuthorizeRoute.Refusal) {
            let ask = try route.ask(request.queryText)
            guard request.method == "POST" else {
                return deliver(.reply(AuthorizePage.form(ask, environment)), .authorizePage, request, at: now)
            }
            return take(AuthorizeRoute.choice(request.body), ask, request, at: now)
        } catch {
            return deliver(.reply(AuthorizePage.refusal(error)), .authorizeRefused, request, at: now)
        }
    }

    private func take(
        _ choice: AuthorizeRoute.Choice,
        _ ask: AuthorizeRoute.Ask,
        _ request: SimulatedRequest,
        at now: SimulatorInstant
    ) -> Delivery {
        switch choice {
        case .authorize(let customer):
            let lifetime = codeLifetime
            let code = update { $0.issueCode(to: customer, ask, lifetime: lifetime, at: now) }
            let reply = AuthorizeRoute.granted(ask, code: code)
            return deliver(.reply(reply), .codeIssued, request, account: customer, at: now)
        case .deny:
            return deliver(.reply(AuthorizeRoute.denied(ask)), .authorizeDenied, request, at: now)
        case .incomplete(let problem):
            let page = AuthorizePage.form(ask, environment, problem: problem)
            return deliver(.reply(page), .authorizeRefused, request, at: now)
        }
    }
}

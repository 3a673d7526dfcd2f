// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// The pages of the authorize route.
enum AuthorizePage {
    /// The form. It has no `action`, and so goes to where the page came from, with the query as it was: what was asked is
    /// neither repeated in the page nor changed on its way through it.
    static func form(
        _ ask: AuthorizeRoute.Ask,
        _ environment: SimulatedEnvironment,
        problem: String? = nil
    ) -> SimulatedReply {
        let scopes = ask.scopes.map { "<li>\(scope($0))</li>" }.joined(separator: "\n")
        let mistake = problem.map { "<p id=\"mistake\" role=\"alert\"><strong>\(HTMLText.escaped($0))</strong></p>\n" }
        let description = problem == nil ? "hint" : "mistake hint"
        return HTMLText.page(
            problem == nil ? 200 : 400,
            title: "Authorize \(ask.client.name) - tastysim",
            """
            <h1>Authorize \(HTMLText.escaped(ask.client.name))</h1>
            <p>This is tastysim, a simulator that stands in for TastyTrade (\(environment.rawValue)). It knows no real account,
            and asks for no password.</p>
            <p>The application <strong>\(HTMLText.escaped(ask.client.name))</strong>, whose client id is
            <code>\(HTMLText.escaped(ask.client.id))</code>, asks to be allowed:</p>
            <ul>
            \(scopes)
            </ul>
            <form method="post">
            \(mistake ?? "")<p><label for="customer">Which simulated customer are you?</label>
            <input id="customer" name="customer" type="text" required autocomplete="off" spellcheck="false"
            autocapitalize="none" aria-describedby="\(description)"></p>
            <p id="hint">Any name will do; every account is there already. In tests this is mostly the id of the user's row.</p>
            <p><button type="submit" name="decision" value="authorize">Authorize</button>
            <button type="submit" name="decision" value="deny" formnovalidate>Deny</button></p>
            </form>
            <p>Either way you go back to <code>\(HTMLText.escaped(ask.redirectURI))</code>.</p>
            """
        )
    }

    /// Why the form is not shown; there is nowhere to go from here.
    static func refusal(_ refusal: AuthorizeRoute.Refusal) -> SimulatedReply {
        HTMLText.page(
            refusal.status,
            title: "\(refusal.title) - tastysim",
            """
            <h1>\(HTMLText.escaped(refusal.title))</h1>
            <p>\(HTMLText.escaped(refusal.text))</p>
            <p>This is tastysim, a simulator that stands in for TastyTrade.</p>
            """
        )
    }

    private static func scope(_ name: String) -> String {
        let meanings = [
            "read": "see accounts, balances and orders", "trade": "place and cancel orders",
            "openid": "know who you are",
        ]
        let meaning = meanings[name].map { ": \($0)" } ?? ""
        return "<code>\(HTMLText.escaped(name))</code>\(meaning)"
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import GrantInspection
import Testing
import TokenCore

@testable import WebPages

/// Pages that say what happened.
@Suite struct ExplanationPageTests {
    private func escaped(_ words: String) -> String {
        [("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("\"", "&quot;"), ("'", "&#39;")]
            .reduce(words) { $0.replacing($1.0, with: $1.1) }
    }

    @Test(arguments: AuthorizationError.allCases.map(\.rawValue) + ["<b>new_one</b>"], TradeEnvironment.allCases)
    func everyErrorOfTheAuthorizePageHasItsWords(error: String, environment: TradeEnvironment) throws {
        let explanation = Explanation(ofAuthorizationError: error, in: environment)
        let link = Link(address: "/", words: "See all accounts")
        let html = try PageRenderer().text(.explanation, ExplanationView(explanation, link: link, for: nil))
        try Markup.check(html, "\(error)")
        #expect(html.contains("<h2 id=\"next\">What to do</h2>"))
        #expect(!html.contains("<b>"))
        for words in [explanation.title, explanation.whatHappened, explanation.whatToDo] {
            #expect(html.contains(escaped(words)))
        }
        #expect(html.contains("href=\"/\">See all accounts</a>"))
        // Nobody is known, and nobody is shown a way to where he could not go.
        #expect(!html.contains("Sign out"))
    }
}

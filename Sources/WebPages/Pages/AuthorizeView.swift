// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import SocketAPI
import TokenCore

/// Where accounts are connected on TastyTrade's own page.
enum AuthorizePage {
    /// Its path.
    static let path = "/tastytrade/oauth/authorize"

    /// The page on which a user's authorization is begun.
    static func address(for user: UserID) -> String { "\(path)?user=\(PercentCoding.encode(user.text))" }
}

/// The form that asks whose account is to be connected on TastyTrade's own page. It changes nothing, and leads to a page that says what
/// would be asked for.
struct AuthorizeView: PageView {
    let frame: Frame
    let problems: ProblemsView?
    let user: FieldView
    let choices: [ChoiceView]

    /// Puts the page together.
    ///
    /// - Parameters:
    ///   - clients: the names of the clients that there are.
    ///   - choice: what stands in the form.
    ///   - problems: what is wrong with it.
    ///   - visit: who looks at it.
    init(_ clients: [String], _ choice: AuthorizationChoice, _ problems: [Problem] = [], for visit: Visit) {
        frame = Frame("Connect an account", for: visit, at: .authorize)
        self.problems = ProblemsView("Nobody was sent to TastyTrade", problems)
        user = FieldView.user(choice.user.text).with(problems)
        choices = ChoiceView.clients(clients, chosen: choice.client ?? "")
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import GrantInspection
import SocketAPI
import TokenCore

/// Where the form is that connects an account.
enum GrantPage {
    /// Its path.
    static let path = "/tastytrade/oauth/grant"

    /// The form with the user filled in.
    static func address(for user: UserID) -> String { "\(path)?user=\(PercentCoding.encode(user.text))#form" }
}

/// The form for a grant that was made by hand.
struct GrantView: PageView {
    let frame: Frame
    let done: DoneView?
    let problems: ProblemsView?
    let places: [PlaceView]
    let user: FieldView
    let choices: [ChoiceView]
    let token: FieldView

    /// Puts the page together.
    ///
    /// - Parameters:
    ///   - clients: the names of the clients that there are.
    ///   - form: the user, and the client that was chosen.
    ///   - problems: what is wrong.
    ///   - done: what was done.
    ///   - visit: who looks at it.
    init(
        _ clients: [String],
        _ form: (user: String, client: String),
        _ problems: [Problem] = [],
        done: DoneView? = nil,
        for visit: Visit
    ) {
        frame = Frame("Connect an account", for: visit, at: .grant)
        self.done = done
        self.problems = ProblemsView(
            "The account was not connected",
            problems,
            advice: "The refresh token is not kept in the form: paste it again."
        )
        places = TradeEnvironment.places
        user = FieldView.user(form.user).with(problems)
        choices = ChoiceView.clients(clients, chosen: form.client)
        token = FieldView(
            name: "refresh_token",
            label: "Refresh token",
            hint:
                "As TastyTrade showed it. What was copied along with it is taken off. It is stored, and shown nowhere again.",
            kind: "password",
            longest: FormFields.bodyLimit,
            isRequired: true
        ).with(problems)
    }
}

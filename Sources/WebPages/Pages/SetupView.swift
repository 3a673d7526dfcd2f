// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import GrantInspection
import SocketAPI
import TokenCore

/// The OAuth clients, and the form for one.
struct SetupView: PageView {
    /// A client in the list.
    struct ClientView {
        let name: String
        let environment: String
        let tone: String
        let clientID: String?
        let redirectURI: String
        let scopes: String
        let accounts: Int
        /// Why it cannot be used; nil if it can be.
        let obstacle: String?
        /// Whether it is the configuration's, which is changed there.
        let isConfigured: Bool
        /// Where it is changed.
        let edit: String
    }

    let frame: Frame
    let done: DoneView?
    let problems: ProblemsView?
    let places: [PlaceView]
    /// What is to be registered at TastyTrade.
    let callback: String
    let clients: [ClientView]
    /// Why the clients cannot be told; nil if they can be.
    let clientsFailure: String?
    let formTitle: String
    /// Whether the form is for a client that is not there yet.
    let isNew: Bool
    let name: FieldView
    let environments: [ChoiceView]
    let environmentError: String?
    let fields: [FieldView]

    /// Puts the page together.
    ///
    /// - Parameters:
    ///   - clients: those that there are, or why they cannot be told.
    ///   - form: what stands in the form.
    ///   - problems: what is wrong with it.
    ///   - done: what was done.
    ///   - configuration: where the pages are.
    ///   - visit: who looks at it.
    init(
        _ clients: Result<[ClientListing], EnrollmentFailure>,
        _ form: ClientForm,
        _ problems: [Problem] = [],
        done: DoneView? = nil,
        at configuration: WebConfiguration,
        for visit: Visit
    ) {
        let known = (try? clients.get()) ?? []
        isNew = form.isMeantNew
        frame = Frame("OAuth clients", for: visit, at: .setup)
        self.done = done
        self.problems = ProblemsView(
            "The client was not saved",
            problems,
            advice: "The client secret is not kept in the form: enter it again."
        )
        places = TradeEnvironment.places
        callback = configuration.publicURL.redirectURI
        self.clients = known.map(ClientView.init)
        clientsFailure = if case .failure(let failure) = clients { failure.text } else { nil }
        formTitle = isNew ? "Add a client" : "Change a client"
        (name, fields) = form.fields(problems)
        environments = form.environments
        environmentError = problems.first { $0.field == "environment" }?.text
    }
}

extension SetupView.ClientView {
    fileprivate init(_ client: ClientListing) {
        name = client.name
        environment = client.environment.words
        tone = client.obstacle == nil ? "none" : "bad"
        clientID = client.clientID
        redirectURI = client.redirectURI
        scopes = client.scopes.joined(separator: " ")
        accounts = client.accounts
        obstacle = client.obstacle
        isConfigured = client.isConfigured
        edit = "/tastytrade/oauth/setup?client=\(PercentCoding.encode(client.name))#form"
    }
}

extension ClientListing {
    /// Whether it is the configuration's own.
    var isConfigured: Bool { name == ClientRegistration.configuredName }
}

extension TradeEnvironment {
    /// Where applications and grants are made.
    static var places: [PlaceView] {
        allCases.map { PlaceView(environment: $0.words, page: $0.applicationsPage) }
    }
}

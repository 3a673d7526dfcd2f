// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import GrantInspection
import TokenCore

/// The form of an OAuth client, as it was filled in. The secret goes into the draft and nowhere else.
struct ClientForm {
    /// The name under which operators know it.
    var name = ""
    /// `client_id`.
    var clientID = ""
    /// The raw value of the environment that was chosen; empty for none.
    var environment = ""
    /// Where the authorize page sends people back to.
    var redirectURI = ""
    /// What it asks for, with spaces between.
    var scopes = ""
    /// Whether it is the form for another client than there are, so that none is changed by a name that is taken.
    let isMeantNew: Bool
    private var secret: Secret?

    /// What stands in the form before anybody filled it in.
    ///
    /// - Parameters:
    ///   - client: the client that is to be changed; nil for a new one.
    ///   - configuration: where the pages are.
    init(for client: ClientListing?, at configuration: WebConfiguration) {
        isMeantNew = client == nil
        name = client?.name ?? ""
        clientID = client?.clientID ?? ""
        environment = client?.environment.rawValue ?? ""
        redirectURI = client?.redirectURI ?? configuration.publicURL.redirectURI
        scopes = client?.scopes.joined(separator: " ") ?? "read trade openid"
    }

    /// What somebody sent. Client id and secret are taken as they came, so that what is wrong with them can be said.
    init(_ form: FormFields) {
        isMeantNew = form["new"] == "yes"
        name = form.trimmed("name") ?? ""
        clientID = form["client_id"]
        environment = form["environment"]
        redirectURI = form.trimmed("redirect_uri") ?? ""
        scopes = form["scopes"].split(whereSeparator: { $0.isWhitespace || $0 == "," }).joined(separator: " ")
        secret = form["client_secret"].isEmpty ? nil : Secret(form["client_secret"])
    }

    /// What is to be put in; what was left empty stays as it is, or has its default.
    var draft: ClientDraft {
        ClientDraft(
            name: name,
            clientID: clientID.isEmpty ? nil : clientID,
            clientSecret: secret,
            environment: environment.isEmpty ? nil : environment,
            redirectURI: redirectURI.isEmpty ? nil : redirectURI,
            scopes: scopes.isEmpty ? nil : scopes.split(separator: " ").map(String.init)
        )
    }

    /// What is surely wrong with what was entered, each at its field: the same that ``Enrolling/put(_:)`` refuses it for.
    var problems: [Problem] {
        let inspection = ClientInspection(
            clientID: clientID,
            secret: secret ?? Secret(""),
            environment: TradeEnvironment(rawValue: environment) ?? .production
        )
        var findings = inspection.findings.filter {
            // What was left empty may be known already.
            $0.code != .clientIDMissing && $0.code != .clientSecretMissing
        }
        if !redirectURI.isEmpty { findings += RedirectInspection(of: redirectURI).findings }
        let faults = findings.filter { $0.severity == .fault }.map {
            Problem("\($0.problem) \($0.remedy)", at: Self.field(of: $0.code))
        }
        let isKnown = environment.isEmpty || TradeEnvironment(rawValue: environment) != nil
        return (isKnown ? [] : [Problem("Choose production or sandbox.", at: "environment")]) + faults
    }

    /// What to say of a refusal: what is known of single fields, and the refusal's own words where they say something else.
    ///
    /// - Parameter failure: the refusal.
    /// - Returns: at least one problem.
    func problems(for failure: EnrollmentFailure) -> [Problem] {
        let own = failure.kind == .invalid ? problems : []
        let isSaid = own.contains { failure.text.contains($0.text) }
        return (isSaid ? [] : [Problem(failure.text)]) + own
    }

    private static func field(of code: FindingCode) -> String? {
        let fields = [
            ("client_id", "client_id"), ("client_secret", "client_secret"), ("redirect", "redirect_uri"),
            ("scope", "scopes"),
        ]
        return fields.first { code.rawValue.hasPrefix($0.0) }?.1
    }
}

extension ClientForm {
    /// The fields before the choice of the environment and after it.
    ///
    /// - Parameter problems: what is wrong.
    /// - Returns: the field of the name, and all others; the secret's is always empty.
    func fields(_ problems: [Problem]) -> (name: FieldView, others: [FieldView]) {
        let name = FieldView(
            name: "name",
            label: "Name",
            hint:
                "What you call it here: letters, digits, dots, dashes and underscores.",
            value: self.name,
            longest: 64,
            isRequired: true
        )
        let others = [
            FieldView(name: "client_id", label: "Client id", hint: "TastyTrade’s look like a UUID.", value: clientID),
            FieldView(
                name: "client_secret",
                label: "Client secret",
                hint: isMeantNew
                    ? "TastyTrade shows it once. It is stored sealed, and shown nowhere again."
                    : "Leave it empty to keep the one that is stored.",
                kind: "password"
            ),
            FieldView(
                name: "redirect_uri",
                label: "Redirect URI",
                hint: "To the letter as it is registered at TastyTrade.",
                value: redirectURI,
                longest: 1024
            ),
            FieldView(name: "scopes", label: "Scopes", hint: "With spaces between: read trade openid.", value: scopes),
        ]
        return (name.with(problems), others.map { $0.with(problems) })
    }

    /// The choice of the environment.
    var environments: [ChoiceView] {
        TradeEnvironment.allCases.map {
            ChoiceView(
                identifier: "environment-\($0.rawValue)",
                value: $0.rawValue,
                words: $0.words,
                isChosen: environment == $0.rawValue
            )
        }
    }
}

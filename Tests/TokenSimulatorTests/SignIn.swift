// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Testing

@testable import TokenSimulator

/// What an application asks for at the authorize page, and then at the token endpoint.
struct SignIn: Sendable {
    var client = SimulatedClient()
    var redirectURI = "http://localhost:8000"
    var responseType: String? = "code"
    var scope: String? = "read openid"
    var state: String? = "a state"

    /// The page's address without the server, with parameters in place of its own; nil leaves one out.
    func path(_ changes: [String: String?] = [:]) -> String {
        let own: [(String, String?)] = [
            ("client_id", client.id), ("redirect_uri", redirectURI), ("response_type", responseType), ("scope", scope),
            ("state", state),
        ]
        return RedirectURI.adding(own.map { name, value in (name, changes[name] ?? value) }, to: "/auth.html")
    }

    /// The fields of the code's exchange, with others in place of them; nil leaves one out.
    func fields(_ code: String, _ changes: [String: String?] = [:]) -> [String: String] {
        let own: [String: String?] = [
            "grant_type": "authorization_code", "code": code, "client_id": client.id, "client_secret": client.secret,
            "redirect_uri": redirectURI,
        ]
        return own.merging(changes) { $1 }.compactMapValues { $0 }
    }
}

/// Where a reply sends a browser.
struct SentBack: Equatable {
    let address: String
    let parameters: [String: String]

    /// Takes a `Location` apart, at the last question mark.
    init(_ reply: Reply) throws {
        let location = try #require(reply.headers["location"])
        let mark = try #require(location.lastIndex(of: "?"))
        address = String(location[..<mark])
        parameters = try FormText.fields(Array(location[location.index(after: mark)...].utf8))
    }
}

extension Caller {
    private static let form = ["Content-Type": "application/x-www-form-urlencoded"]

    /// The fields as a form's body.
    static func formText(_ fields: [String: String]) -> String {
        String(RedirectURI.adding(fields.map { ($0.key, $0.value) }, to: "").dropFirst())
    }

    /// Submits the authorize page's form.
    func submit(_ fields: [String: String], to path: String) async throws -> Reply {
        try await call("POST", path, headers: Self.agent + Self.form, body: Self.formText(fields))
    }

    /// Signs in and authorises: a code.
    func code(for customer: String = "42", _ signIn: SignIn = SignIn()) async throws -> String {
        let reply = try await submit(["customer": customer, "decision": "authorize"], to: signIn.path())
        return try #require(try SentBack(reply).parameters["code"])
    }

    /// Exchanges a code, in JSON.
    func exchange(
        _ code: String,
        _ signIn: SignIn = SignIn(),
        _ changes: [String: String?] = [:]
    ) async throws -> Reply {
        try await post(signIn.fields(code, changes))
    }

    /// Exchanges a code, as a form.
    func exchangeByForm(_ code: String, _ signIn: SignIn = SignIn()) async throws -> Reply {
        try await call(
            "POST",
            "/oauth/token",
            headers: Self.agent + Self.form,
            body: Self.formText(signIn.fields(code))
        )
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// `GET` and `POST /auth.html`: what an application asks of a person, and what the person says (fact sheet section 3).
///
/// The query says the same for both, and is checked for both. No one is sent to an address that is not registered.
struct AuthorizeRoute {
    /// The path.
    static let path = "/auth.html"

    /// What an application asks for.
    struct Ask {
        /// The application.
        let client: SimulatedClient
        /// Where the answer goes, one of the client's addresses.
        let redirectURI: String
        /// What is to be allowed; some or all that the client may ask for.
        let scopes: [String]
        /// What the answer must bring back, if anything.
        let state: String?
    }

    /// Why a page with the form cannot be shown.
    struct Refusal: Error {
        /// The HTTP status.
        let status: Int
        /// TastyTrade's words for it.
        let title: String
        /// What to do about it.
        let text: String
    }

    /// What a person says.
    enum Choice: Hashable {
        /// Yes, as this customer.
        case authorize(customer: String)
        /// No.
        case deny
        /// Something is missing; this is what.
        case incomplete(String)
    }

    /// The clients there are.
    let clients: ClientRegister

    /// What a query asks for.
    func ask(_ query: String) throws(Refusal) -> Ask {
        let fields: [String: String]
        do {
            fields = try FormText.fields(Array(query.utf8))
        } catch {
            throw Refusal(status: 400, title: "Invalid request", text: "The address cannot be read: \(error.reason).")
        }
        let id = fields["client_id"] ?? ""
        guard let client = clients[id] else {
            let text =
                id.isEmpty
                ? "The address names no client_id." : "No client is registered here under the client_id “\(id)”."
            throw Refusal(status: 404, title: "404 Client not found", text: text)
        }
        guard let address = fields["redirect_uri"], client.redirectURIs.contains(address) else {
            throw Self.invalidRedirect(fields["redirect_uri"], client)
        }
        guard fields["response_type"] == "code" else {
            throw Refusal(status: 400, title: "Invalid response_type", text: "response_type must be “code”.")
        }
        let scopes = try Self.scopes(fields["scope"], client)
        return Ask(client: client, redirectURI: address, scopes: scopes, state: fields["state"])
    }

    /// All that the client may ask for, where it does not say.
    private static func scopes(_ text: String?, _ client: SimulatedClient) throws(Refusal) -> [String] {
        guard let text else { return client.scopes }
        let scopes = ScopeText.words(text)
        guard ScopeText.isWellFormed(text), scopes.allSatisfy({ client.scopes.contains($0) }) else {
            throw Refusal(
                status: 400,
                title: "Invalid scope",
                text: "\(client.name) may ask for “\(client.scope)”, and asks for “\(text)”."
            )
        }
        return scopes
    }

    private static func invalidRedirect(_ address: String?, _ client: SimulatedClient) -> Refusal {
        let asked = address.map { "and asks for “\($0)”" } ?? "and the address names no redirect_uri"
        let registered = client.redirectURIs.map { "“\($0)”" }.joined(separator: ", ")
        return Refusal(
            status: 400,
            title: "Invalid redirect_uri",
            text: "\(client.name) may have people sent to exactly \(registered), \(asked)."
        )
    }
}

extension AuthorizeRoute {
    /// What a submitted form says.
    static func choice(_ body: [UInt8]) -> Choice {
        guard let fields = try? FormText.fields(body) else { return .incomplete("The form cannot be read.") }
        switch fields["decision"] {
        case "deny": return .deny
        case "authorize":
            // A space that a person typed too many would be another customer.
            var customer = (fields["customer"] ?? "")[...]
            while customer.first?.isWhitespace == true { customer.removeFirst() }
            while customer.last?.isWhitespace == true { customer.removeLast() }
            guard !customer.isEmpty else { return .incomplete("Say which customer you are.") }
            return .authorize(customer: String(customer))
        default: return .incomplete("Choose Authorize or Deny.")
        }
    }

    /// Back to the application with a code.
    static func granted(_ ask: Ask, code: String) -> SimulatedReply {
        back(ask, [("code", code), ("state", ask.state)])
    }

    /// Back to the application without one (RFC 6749 section 4.1.2.1).
    static func denied(_ ask: Ask) -> SimulatedReply {
        let description = "The customer denied the request"
        return back(ask, [("error", "access_denied"), ("error_description", description), ("state", ask.state)])
    }

    /// 303, so that the address is asked for by GET.
    private static func back(_ ask: Ask, _ parameters: [(name: String, value: String?)]) -> SimulatedReply {
        let location = RedirectURI.adding(parameters, to: ask.redirectURI)
        let fields = [("Location", location), ("Cache-Control", "no-store"), ("Referrer-Policy", "no-referrer")]
        return SimulatedReply(303, fields: fields.map { SimulatedReply.Field(name: $0.0, value: $0.1) })
    }
}

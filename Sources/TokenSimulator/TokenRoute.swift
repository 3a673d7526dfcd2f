// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import FoundationEssentials
import NIOHTTP1

/// `POST /oauth/token` as the real endpoint checks it (fact sheet section 4), up to the question whether the refresh
/// token or the code is good.
struct TokenRoute: Sendable {
    /// The path.
    static let path = "/oauth/token"

    /// How a request looks.
    enum Screening {
        /// Refused for what it says.
        case refused(SimulatedReply, RequestOutcome)
        /// Everything is in order but the refresh token, which is still to be looked at: it must belong to one of the clients
        /// with these ids.
        case presents(refreshToken: String, clientIDs: Set<String>)
        /// Everything is in order but the code, which is still to be looked at.
        case presentsCode(CodeLedger.Presented)
    }

    /// A request's body, in either encoding.
    struct Form {
        /// The fields.
        var fields: [String: String] = [:]

        /// What is asked for, if it is something that is known.
        var grantType: TokenGrantType? { fields["grant_type"].flatMap { TokenGrantType(rawValue: $0) } }
        /// Why there are none, in words.
        var fault: String?
    }

    /// The clients there are.
    let clients: ClientRegister

    /// Reads the body as JSON or as a form (RFC 6749 section 3.2; fact sheet section 4.1).
    static func form(of request: SimulatedRequest) -> Form {
        let type = request.headers.first(name: "Content-Type")?.split(separator: ";").first?.lowercased()
        switch type {
        case "application/json":
            guard let fields = try? JSONDecoder().decode([String: String].self, from: Data(request.body)) else {
                return Form(fault: "Malformed JSON body")
            }
            return Form(fields: fields)
        case "application/x-www-form-urlencoded":
            do {
                return Form(fields: try FormText.fields(request.body))
            } catch {
                return Form(fault: error.reason)
            }
        default:
            return Form(fault: "Unsupported content type")
        }
    }

    /// Checks everything but the refresh token or the code.
    func screen(_ request: SimulatedRequest, _ form: Form) -> Screening {
        if request.headers.contains(name: "Authorization") {
            return invalidRequest("Authorization header is not allowed")
        }
        if let fault = form.fault { return invalidRequest(fault) }
        guard form.fields["grant_type"] != nil else { return invalidRequest("Missing grant_type") }
        guard let grantType = form.grantType else {
            let reply = SimulatedReply.refusal(400, "unsupported_grant_type", "Unsupported grant type")
            return .refused(reply, .unsupportedGrantType)
        }
        let proven = clients.all.filter { $0.secret == form.fields["client_secret"] }
        guard !proven.isEmpty else { return invalidClient("Client secret mismatch") }
        guard let id = form.fields["client_id"] else {
            // A refresh token names its client, a code does not (RFC 6749 section 4.1.3).
            guard grantType == .refreshToken else { return invalidRequest("Missing client_id") }
            return screenRefresh(form, Set(proven.map(\.id)))
        }
        guard clients[id] != nil else { return invalidClient("Client id mismatch") }
        guard proven.contains(where: { $0.id == id }) else { return invalidClient("Client secret mismatch") }
        switch grantType {
        case .refreshToken: return screenRefresh(form, [id])
        case .authorizationCode: return screenCode(form, id)
        }
    }

    private func screenRefresh(_ form: Form, _ clientIDs: Set<String>) -> Screening {
        guard let token = form.fields["refresh_token"], !token.isEmpty else {
            return invalidRequest("Missing refresh_token")
        }
        return .presents(refreshToken: token, clientIDs: clientIDs)
    }

    private func screenCode(_ form: Form, _ clientID: String) -> Screening {
        guard let code = form.fields["code"], !code.isEmpty else { return invalidRequest("Missing code") }
        guard let address = form.fields["redirect_uri"], !address.isEmpty else {
            return invalidRequest("Missing redirect_uri")
        }
        return .presentsCode(CodeLedger.Presented(code: code, clientID: clientID, redirectURI: address))
    }

    /// What the endpoint says of a refresh token that is not ours, or ours and another client's.
    static let invalidJWT = SimulatedReply.refusal(400, "invalid_grant", "Invalid JWT")
    /// What the endpoint says of a grant that was deleted.
    static let grantRevoked = SimulatedReply.refusal(400, "invalid_grant", "Grant revoked")

    /// What the endpoint says of a code that cannot be exchanged; the words are ours, none were recorded.
    static func invalidCode(_ description: String) -> SimulatedReply { .refusal(400, "invalid_grant", description) }

    private func invalidRequest(_ description: String) -> Screening {
        .refused(.refusal(400, "invalid_request", description), .invalidRequest)
    }

    private func invalidClient(_ description: String) -> Screening {
        .refused(.refusal(401, "invalid_client", description), .invalidClient)
    }
}

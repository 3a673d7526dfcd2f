// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import FoundationEssentials
import NIOHTTP1

/// `POST /oauth/token` as the real endpoint checks it (fact sheet section 4), up to the question whether the refresh
/// token is good.
struct TokenRoute: Sendable {
    /// The path.
    static let path = "/oauth/token"

    /// How a request looks.
    enum Screening {
        /// Refused for what it says.
        case refused(SimulatedReply, RequestOutcome)
        /// Everything is in order but the refresh token, which is still to be looked at.
        case presents(refreshToken: String)
    }

    /// A request's body, in either encoding.
    struct Form {
        /// The fields.
        var fields: [String: String] = [:]
        /// Why there are none, in words.
        var fault: String?
    }

    /// The one client.
    let client: SimulatedClient

    /// Reads the body as JSON or as a form (RFC 6749 section 3.2; fact sheet section 4.1).
    func form(of request: SimulatedRequest) -> Form {
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

    /// Checks everything but the refresh token.
    func screen(_ request: SimulatedRequest, _ form: Form) -> Screening {
        if request.headers.contains(name: "Authorization") {
            return invalidRequest("Authorization header is not allowed")
        }
        if let fault = form.fault { return invalidRequest(fault) }
        guard let grantType = form.fields["grant_type"] else { return invalidRequest("Missing grant_type") }
        guard grantType == "refresh_token" else {
            let reply = SimulatedReply.refusal(400, "unsupported_grant_type", "Unsupported grant type")
            return .refused(reply, .unsupportedGrantType)
        }
        guard form.fields["client_secret"] == client.secret else { return invalidClient("Client secret mismatch") }
        if let id = form.fields["client_id"], id != client.id { return invalidClient("Client id mismatch") }
        guard let token = form.fields["refresh_token"], !token.isEmpty else {
            return invalidRequest("Missing refresh_token")
        }
        return .presents(refreshToken: token)
    }

    /// What the endpoint says of a refresh token that is not ours, or ours and another client's.
    static let invalidJWT = SimulatedReply.refusal(400, "invalid_grant", "Invalid JWT")
    /// What the endpoint says of a grant that was deleted.
    static let grantRevoked = SimulatedReply.refusal(400, "invalid_grant", "Grant revoked")

    private func invalidRequest(_ description: String) -> Screening {
        .refused(.refusal(400, "invalid_request", description), .invalidRequest)
    }

    private func invalidClient(_ description: String) -> Screening {
        .refused(.refusal(401, "invalid_client", description), .invalidClient)
    }
}

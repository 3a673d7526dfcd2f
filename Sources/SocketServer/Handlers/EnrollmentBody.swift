// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import SocketAPI
import TokenCore

/// What a request's body says, for the routes that take one: a JSON object. It holds secrets, so nothing of it is ever quoted.
struct EnrollmentBody {
    /// More scopes than there will ever be.
    private static let mostElements = 32

    private let members: JSONMembers

    /// Reads a body.
    ///
    /// - Parameter bytes: the body, whose length is bounded already.
    /// - Throws: that it is no JSON object, or names a member twice.
    init(_ bytes: [UInt8]) throws(Problem) {
        guard let members = JSONTreeReader.read(bytes, maximumElements: Self.mostElements)?.members else {
            let detail =
                bytes.isEmpty
                ? "The request has no body; it takes a JSON object."
                : "The body is no JSON object, or has a member twice, or a list of more than \(Self.mostElements) elements."
            throw Problem(.badRequest, detail: detail)
        }
        self.members = members
    }

    /// The text of a member; nil where there is none, or null.
    ///
    /// - Parameter name: the member's.
    /// - Returns: the text.
    /// - Throws: that it is something else.
    func text(_ name: String) throws(Problem) -> String? {
        switch members[name] {
        case nil, .null: return nil
        case .string(let text): return text
        case .bool, .number, .array, .object:
            throw Problem(.badRequest, detail: "\(name) must be a text.")
        }
    }

    /// The words of a member that is a list of texts, or one text with spaces between them; nil where there is none, or null.
    ///
    /// - Parameter name: the member's.
    /// - Returns: the words.
    /// - Throws: that it is something else.
    func words(_ name: String) throws(Problem) -> [String]? {
        switch members[name] {
        case nil, .null: return nil
        case .string(let text): return text.split(separator: " ").map(String.init)
        case .array(let elements, contentAt: _):
            let texts = elements.compactMap(\.text)
            if texts.count == elements.count { return texts }
        case .bool, .number, .object: break
        }
        throw Problem(.badRequest, detail: "\(name) must be a list of texts, or one text with spaces between them.")
    }
}

extension EnrollmentBody {
    /// The grant that the body brings, and for which client.
    ///
    /// - Throws: what is missing or no text.
    func grant() throws(Problem) -> (refreshToken: Secret, client: String?) {
        guard let token = try text(EnrollmentField.refreshToken) else {
            throw Problem(.badRequest, detail: "\(EnrollmentField.refreshToken) is missing.")
        }
        return (Secret(token), try text(EnrollmentField.client))
    }

    /// The name of the client that an authorization is to be begun with; nil where the body, which may be missing, names none.
    ///
    /// - Parameter bytes: the body.
    /// - Returns: the name.
    /// - Throws: that it is no text, or the body no object.
    static func client(in bytes: [UInt8]) throws(Problem) -> String? {
        bytes.isEmpty ? nil : try EnrollmentBody(bytes).text(EnrollmentField.client)
    }

    /// What came back from TastyTrade's page.
    ///
    /// - Throws: that it is neither code nor error, or both.
    func authorizationEnd() throws(Problem) -> AuthorizationEnd {
        switch (try text(EnrollmentField.code), try text(EnrollmentField.error)) {
        case (let code?, nil) where !code.isEmpty: return .code(Secret(code))
        case (nil, let error?) where !error.isEmpty: return .error(error)
        default:
            let detail =
                "The body must have either \(EnrollmentField.code) or \(EnrollmentField.error), as it came back."
            throw Problem(.badRequest, detail: detail)
        }
    }

    /// The client that the body describes.
    ///
    /// - Parameter name: the client's, from the path.
    /// - Returns: the client, as far as the body says.
    /// - Throws: what is no text.
    func client(_ name: String) throws(Problem) -> ClientDraft {
        ClientDraft(
            name: name,
            clientID: try text(ClientReply.CodingKeys.clientID.rawValue),
            clientSecret: try text(EnrollmentField.clientSecret).map { Secret($0) },
            environment: try text(ClientReply.CodingKeys.environment.rawValue),
            redirectURI: try text(ClientReply.CodingKeys.redirectURI.rawValue),
            scopes: try words(ClientReply.CodingKeys.scopes.rawValue)
        )
    }
}

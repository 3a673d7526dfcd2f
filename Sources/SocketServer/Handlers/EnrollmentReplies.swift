// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import SocketAPI
import TokenCore

/// The answers of the routes that connect accounts and change clients (product.md, Socket API).
enum EnrollmentReplies {
    /// `PUT grant`: how the account stands after it, and what is worth knowing.
    static func connected(
        _ user: UserID,
        with token: Secret,
        of client: String?,
        _ enrolling: any Enrolling,
        _ serving: any TokenServing
    ) async -> Reply {
        await reply { () async throws(EnrollmentFailure) in
            let notes = try await enrolling.connect(user, with: token, of: client)
            return await standing(of: user, notes, serving)
        }
    }

    /// How an account stands that was connected, and what is worth knowing.
    static func standing(of user: UserID, _ notes: [String], _ serving: any TokenServing) async -> Reply {
        // It may have been deleted a moment ago.
        guard let report = await serving.report(on: user) else {
            return TokenReplies.unknown(user, isReady: serving.isReady)
        }
        return .json(StatusReply(report).json(adding: notes))
    }

    /// `DELETE grant`.
    static func disconnected(_ user: UserID, _ enrolling: any Enrolling) async -> Reply {
        await reply { () async throws(EnrollmentFailure) in
            try await enrolling.disconnect(user)
            return .done
        }
    }

    /// `GET clients`.
    static func clients(_ enrolling: any Enrolling) async -> Reply {
        await reply { () async throws(EnrollmentFailure) in
            let clients = try await enrolling.clients()
            var text = JSONText()
            text.add("clients", objects: clients.map { json($0) })
            text.close()
            return .json(text.bytes)
        }
    }

    /// `PUT clients/{name}`.
    static func put(_ draft: ClientDraft, _ enrolling: any Enrolling) async -> Reply {
        await reply { () async throws(EnrollmentFailure) in
            let (client, notes) = try await enrolling.put(draft)
            return .json(json(client, notes: notes))
        }
    }

    /// `DELETE clients/{name}`.
    static func removed(_ name: String, _ enrolling: any Enrolling) async -> Reply {
        do throws(EnrollmentFailure) {
            try await enrolling.removeClient(name)
            return .done
        } catch {
            // What the path names is not there.
            return error.kind == .unknownClient ? .problem(Problem(.notFound, detail: error.text)) : problem(error)
        }
    }

    /// The daemon serves tokens and connects nobody.
    static let none = Reply.problem(Problem(.tokenUnavailable, detail: "This daemon connects no accounts."))

    /// A change that is not done yet. It goes on, so that the caller is not told when to ask for it again.
    static let underWay = Reply.problem(
        Problem(
            .overloaded,
            detail:
                "It is not done yet, and goes on: look how the account or the client stands before you ask for it again."
        )
    )

    /// What comes of something, or why it came to nothing.
    static func reply(_ body: () async throws(EnrollmentFailure) -> Reply) async -> Reply {
        do throws(EnrollmentFailure) {
            return try await body()
        } catch {
            return problem(error)
        }
    }

    private static func problem(_ failure: EnrollmentFailure) -> Reply {
        let fields = failure.retryAfter.map { [Reply.Field.retryAfter($0)] } ?? []
        return .problem(Problem(failure.kind.code, detail: failure.text), fields: fields)
    }

    private static func json(_ client: ClientListing, notes: [String]? = nil) -> [UInt8] {
        var text = JSONText()
        ClientReply(client).add(to: &text)
        if let notes { text.add(EnrollmentField.notes, texts: notes) }
        text.close()
        return text.bytes
    }
}

extension EnrollmentFailure.Kind {
    /// The contract's code for it.
    fileprivate var code: ProblemCode {
        switch self {
        case .unknownUser: .unknownUser
        case .unknownClient, .invalid: .badRequest
        case .grantRefused: .grantRefused
        case .noSealingKey: .noSealingKey
        case .invalidState: .invalidState
        case .tooSoon: .tooManyRefreshes
        case .unavailable: .tokenUnavailable
        }
    }
}

extension ClientReply {
    fileprivate init(_ client: ClientListing) {
        self.init(
            name: client.name,
            clientID: client.clientID,
            environment: client.environment.rawValue,
            redirectURI: client.redirectURI,
            scopes: client.scopes,
            secretChangedAtMicroseconds: client.secretChangedAt?.microseconds,
            accounts: client.accounts,
            obstacle: client.obstacle
        )
    }
}

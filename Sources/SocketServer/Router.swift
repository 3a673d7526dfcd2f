// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import SocketAPI
package import TokenCore

/// What a request's path names.
package enum Resource: Hashable, Sendable {
    /// A user's token.
    case token(UserID)
    /// A new token of a user.
    case refresh(UserID)
    /// How a user's account stands.
    case status(UserID)
    /// Why a user's account stands as it does.
    case explanation(UserID)
    /// What is wrong with a user's account.
    case diagnosis(UserID)
    /// A user's grant, to be put in or taken out.
    case grant(UserID)
    /// A user's authorization on TastyTrade's page, to be begun.
    case authorizations(UserID)
    /// A link to the web pages, where a user's authorization begins.
    case authorizationLinks(UserID)
    /// What was begun with that state, to be finished.
    case authorization(Secret)
    /// How all accounts stand.
    case list
    /// The OAuth clients.
    case clients
    /// An OAuth client.
    case client(String)
    /// Links that sign an operator in to the web pages.
    case consoleLinks
    /// What happens to accounts, as it happens.
    case events
    /// How the daemon does.
    case summary
    /// Whether the daemon is alive.
    case alive
    /// Whether every account is loaded.
    case ready
    /// The daemon in numbers.
    case metrics
    /// Nothing.
    case unknown
    /// Nothing that could be: the escapes of the path are broken.
    case malformed
}

/// A request's target, taken apart.
package struct Target: Hashable, Sendable {
    /// What the path names.
    package let resource: Resource
    /// What stands behind the question mark, escapes and all; empty if there is none.
    package let query: String

    /// Takes a target apart: an absolute path, or the absolute form that a proxy sends (RFC 9112 section 3.2).
    package init(_ target: String) {
        let parts = Self.path(of: target).split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        self.query = parts.count == 2 ? String(parts[1]) : ""
        self.resource = Self.resource(at: parts.first ?? "")
    }

    /// A target of these parts.
    init(resource: Resource, query: String) {
        self.resource = resource
        self.query = query
    }

    private static func path(of target: String) -> Substring {
        guard let scheme = target.firstRange(of: "://"), !target.hasPrefix("/") else { return target[...] }
        let rest = target[scheme.upperBound...]
        return rest.firstIndex { $0 == "/" || $0 == "?" }.map { rest[$0...] } ?? ""
    }

    private static func resource(at path: Substring) -> Resource {
        switch path {
        case APIPath.alive: return .alive
        case APIPath.ready: return .ready
        case APIPath.allUsers: return .list
        case APIPath.events: return .events
        case APIPath.summary: return .summary
        case APIPath.metrics: return .metrics
        case APIPath.clients: return .clients
        case APIPath.consoleLinks: return .consoleLinks
        default: break
        }
        if let name = path.dropping(prefix: APIPath.clients + "/"), !name.isEmpty, !name.contains("/") {
            return PercentCoding.decode(name).map(Resource.client) ?? .malformed
        }
        if let state = path.dropping(prefix: APIPath.authorizations + "/"), !state.isEmpty, !state.contains("/") {
            return PercentCoding.decode(state).map { .authorization(Secret($0)) } ?? .malformed
        }
        guard path.hasPrefix(APIPath.users) else { return .unknown }
        let segments = path.dropFirst(APIPath.users.count).split(separator: "/", omittingEmptySubsequences: false)
        guard let first = segments.first, !first.isEmpty else { return .unknown }
        guard let id = PercentCoding.decode(first) else { return .malformed }
        switch segments.dropFirst() {
        case []: return .status(UserID(id))
        case ["token"]: return .token(UserID(id))
        case ["refresh"]: return .refresh(UserID(id))
        case ["grant"]: return .grant(UserID(id))
        case ["authorizations"]: return .authorizations(UserID(id))
        case ["authorization-links"]: return .authorizationLinks(UserID(id))
        case ["explain"]: return .explanation(UserID(id))
        case ["diagnose"]: return .diagnosis(UserID(id))
        default: return .unknown
        }
    }
}

extension Resource {
    /// The right that it takes; nil where everybody may ask.
    package var right: Right? {
        switch self {
        case .alive, .ready: nil
        case .token: .token
        case .refresh: .refresh
        case .grant, .authorizations, .authorization, .authorizationLinks: .enroll
        case .clients, .client, .consoleLinks: .admin
        case .status, .explanation, .diagnosis, .list, .events, .summary, .metrics: .status
        // Whoever has no right learns nothing about the paths there are either.
        case .unknown, .malformed: .admin
        }
    }

    /// The methods that it takes.
    package var methods: [String] {
        switch self {
        case .refresh, .diagnosis, .authorizations, .authorization, .authorizationLinks, .consoleLinks: ["POST"]
        case .grant, .client: ["PUT", "DELETE"]
        // What has no end has no head to be had without it.
        case .events: ["GET"]
        case .token, .status, .explanation, .list, .clients, .summary, .metrics, .alive, .ready, .unknown, .malformed:
            ["GET", "HEAD"]
        }
    }

    /// Whom it concerns.
    package var user: UserID? {
        switch self {
        case .token(let user), .refresh(let user), .status(let user), .explanation(let user), .diagnosis(let user),
            .grant(let user), .authorizations(let user), .authorizationLinks(let user):
            user
        // Whose it is has to be looked up first.
        case .authorization: nil
        case .list, .clients, .client, .consoleLinks, .events, .summary, .metrics, .alive, .ready, .unknown, .malformed:
            nil
        }
    }
}

extension Resource {
    /// Whether a request for it may have a body that is looked at; others' are read and dropped.
    var takesBody: Bool {
        switch self {
        case .grant, .authorizations, .authorization, .authorizationLinks, .client: true
        case .token, .refresh, .status, .explanation, .diagnosis, .list, .clients, .consoleLinks, .events, .summary,
            .alive, .ready,
            .metrics, .unknown, .malformed:
            false
        }
    }
}

extension Substring {
    /// What follows a beginning; nil if this does not begin so.
    fileprivate func dropping(prefix: String) -> Substring? {
        hasPrefix(prefix) ? dropFirst(prefix.count) : nil
    }
}

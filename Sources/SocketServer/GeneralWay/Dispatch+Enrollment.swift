// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import NIOHTTP1
import SocketAPI
import TokenCore

extension Dispatch {
    /// Whether something is changed, which comes to its own end.
    var isChange: Bool {
        if case .change = self { true } else { false }
    }

    /// What is to be done for a request that connects an account or changes a client; nil if it is none of these, or nobody is there to do
    /// it.
    static func enrollment(
        _ resource: Resource,
        _ method: HTTPMethod,
        _ body: [UInt8],
        _ caller: Caller,
        _ service: SocketService
    ) throws(Problem) -> Dispatch? {
        if let dispatch = try authorization(resource, body, caller, service) { return dispatch }
        guard let enrolling = service.enrolling else { return nil }
        switch resource {
        case .grant(let user) where method == .PUT:
            let (token, client) = try EnrollmentBody(body).grant()
            return .change { await EnrollmentReplies.connected(user, with: token, of: client, enrolling, $0) }
        case .grant(let user): return .change { _ in await EnrollmentReplies.disconnected(user, enrolling) }
        case .clients: return .question { _ in await EnrollmentReplies.clients(enrolling) }
        case .client(let name) where method == .PUT:
            let draft = try EnrollmentBody(body).client(name)
            return .change { _ in await EnrollmentReplies.put(draft, enrolling) }
        case .client(let name): return .change { _ in await EnrollmentReplies.removed(name, enrolling) }
        case .authorizations, .authorization, .authorizationLinks, .token, .refresh, .status, .explanation, .diagnosis,
            .list, .consoleLinks, .events, .summary, .alive, .ready, .metrics, .unknown, .malformed:
            return nil
        }
    }

    private static func authorization(
        _ resource: Resource,
        _ body: [UInt8],
        _ caller: Caller,
        _ service: SocketService
    ) throws(Problem) -> Dispatch? {
        guard let authorizing = service.authorizing else { return nil }
        switch resource {
        case .authorizationLinks(let user):
            let client = try EnrollmentBody.client(in: body)
            return .change { [pages = service.pages] _ in await PageReplies.authorizationLink(user, client, pages) }
        case .authorizations(let user):
            let client = try EnrollmentBody.client(in: body)
            return .change { _ in await AuthorizationReplies.begun(user, with: client, authorizing) }
        case .authorization(let state):
            let end = try EnrollmentBody(body).authorizationEnd()
            let isAllowed: @Sendable (UserID) -> Bool = { [access = service.access] user in
                access.copy.rules.allow(caller, .enroll, over: user)
            }
            return .change {
                await AuthorizationReplies.finished(state, with: end, isAllowed: isAllowed, caller, authorizing, $0)
            }
        default: return nil
        }
    }
}

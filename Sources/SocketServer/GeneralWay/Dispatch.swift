// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import NIOHTTP1
import SocketAPI
import TokenCore

/// What is to be done for a request: an answer that stands already, or a call of the engine.
enum Dispatch {
    /// The answer.
    case reply(Reply)
    /// `GET token`.
    case token(TokenRequest)
    /// `POST refresh`.
    case refresh(RefreshRequest)
    /// `GET` status of a user.
    case status(UserID)

    /// Checks the right before anything else, so that a caller without it learns nothing from the answer; then the
    /// method, then the request's own terms.
    init(_ head: HTTPRequestHead, caller: Caller, access: AccessRules, isReady: Bool) {
        let target = Target(head.uri)
        if let refusal = Self.refusal(target.resource, caller, access) ?? Self.fault(head, target.resource) {
            self = .reply(refusal)
            return
        }
        switch target.resource {
        case .alive: self = .reply(.text("alive\n"))
        case .ready: self = .reply(isReady ? .text("ready\n") : TokenReplies.loading)
        case .status(let user): self = .status(user)
        case .token(let user): self = Self.token(of: user, query: target.query, headers: head.headers)
        case .refresh(let user): self = Self.refresh(of: user, query: target.query, headers: head.headers)
        case .unknown: self = .reply(.problem(Problem(.notFound, detail: "See the API's description for its paths.")))
        case .malformed:
            let detail = "The path holds a percent sign that begins no escape, or bytes that are no UTF-8 text."
            self = .reply(.problem(Problem(.badRequest, detail: detail)))
        }
    }

    /// What a caller gets instead whose right was taken away while he waited; nil if he still has it.
    static func refusal(of head: HTTPRequestHead, caller: Caller, access: AccessRules) -> Reply? {
        refusal(Target(head.uri).resource, caller, access)
    }

    private static func refusal(_ resource: Resource, _ caller: Caller, _ access: AccessRules) -> Reply? {
        guard let right = resource.right, !access.allow(caller, right, over: resource.user) else { return nil }
        let detail = "User id \(caller.user) has not been given the right that this request takes."
        return .problem(Problem(.forbidden, detail: detail))
    }

    private static func fault(_ head: HTTPRequestHead, _ resource: Resource) -> Reply? {
        // RFC 9112 section 3.2: exactly one Host in HTTP/1.1, whatever it says; nothing is decided by it here.
        let hosts = head.headers["host"].count
        guard hosts == 1 || (hosts == 0 && head.version != .http1_1) else {
            return .problem(Problem(.badRequest, detail: "The request must have one Host field and has \(hosts)."))
        }
        guard resource.methods.contains(head.method.rawValue) || resource == .unknown || resource == .malformed else {
            let methods = resource.methods
            let problem = Problem(.methodNotAllowed, detail: "This path takes \(methods.joined(separator: " and ")).")
            return .problem(problem, fields: [Reply.Field("Allow", methods.joined(separator: ", "))])
        }
        return nil
    }

    private static func refresh(of user: UserID, query: String, headers: HTTPHeaders) -> Dispatch {
        do throws(Problem) {
            return .refresh(try RefreshRequest(user: user, query: query, headers: headers))
        } catch {
            return .reply(.problem(error))
        }
    }

    private static func token(of user: UserID, query: String, headers: HTTPHeaders) -> Dispatch {
        do throws(Problem) {
            return .token(try TokenRequest(user: user, query: query, headers: headers))
        } catch {
            return .reply(.problem(error))
        }
    }
}

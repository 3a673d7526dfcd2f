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
    /// What only the engine can tell.
    case question(QuestionHandler.Question)
    /// What takes the time of a call of TastyTrade, and changes nothing.
    case diagnosis(QuestionHandler.Question)
    /// What changes something, and is not given up when the caller goes.
    case change(QuestionHandler.Question)
    /// `GET events`, of that caller.
    case events(Caller)

    /// Checks the right before anything else, so that a caller without it learns nothing from the answer; then the
    /// method, then the request's own terms.
    init(
        _ target: Target,
        _ head: HTTPRequestHead,
        _ body: [UInt8],
        caller: Caller,
        access: AccessRules,
        service: SocketService
    ) {
        if let refusal = Self.refusal(target.resource, caller, access) ?? Self.fault(head, target.resource) {
            self = .reply(refusal)
            return
        }
        do throws(Problem) {
            if let dispatch = try Self.enrollment(target.resource, head.method, body, caller, service) {
                self = dispatch
            } else {
                self = try Self.call(target, head.headers, caller, access, service)
            }
        } catch {
            self = .reply(.problem(error))
        }
    }

    private static func call(
        _ target: Target,
        _ headers: HTTPHeaders,
        _ caller: Caller,
        _ access: AccessRules,
        _ service: SocketService
    ) throws(Problem) -> Dispatch {
        switch target.resource {
        case .alive: return .reply(.text("alive\n"))
        case .ready: return .reply(service.serving.isReady ? .text("ready\n") : TokenReplies.loading)
        case .token(let user): return .token(try TokenRequest(user: user, query: target.query, headers: headers))
        case .refresh(let user): return .refresh(try RefreshRequest(user: user, query: target.query, headers: headers))
        case .status(let user): return .question { await ReportReplies.status(of: user, $0) }
        case .explanation(let user): return .question { await ReportReplies.explanation(of: user, $0) }
        case .diagnosis(let user):
            return .diagnosis { [diagnosing = service.diagnosing] in
                await DiagnosisReplies.diagnosis(of: user, by: diagnosing, $0)
            }
        case .list:
            let query = try ReportQuery(query: target.query, users: access.accounts(of: caller, .status))
            return .question { await ReportReplies.list(query, $0) }
        case .grant, .authorizations, .authorization, .authorizationLinks, .clients, .client:
            return .reply(EnrollmentReplies.none)
        case .consoleLinks: return .reply(PageReplies.consoleLink(service.pages))
        case .summary: return .question { [facts = service.facts] in await ReportReplies.summary(facts, $0) }
        case .metrics: return metrics(service)
        case .events: return .events(caller)
        case .unknown: throw Problem(.notFound, detail: "See the API's description for its paths.")
        case .malformed:
            let detail = "The path holds a percent sign that begins no escape, or bytes that are no UTF-8 text."
            throw Problem(.badRequest, detail: detail)
        }
    }

    /// Everything that is measured.
    static func metrics(_ service: SocketService) -> Dispatch {
        .question { [metrics = service.metrics] _ in await ReportReplies.metrics(metrics) }
    }

    /// What a caller gets who has no right to it, or whose right was taken away while he waited; nil if he has it.
    static func refusal(_ resource: Resource, _ caller: Caller, _ access: AccessRules) -> Reply? {
        guard let right = resource.right, !allows(access, caller, right, resource) else { return nil }
        return forbidden(caller)
    }

    /// What a caller gets who has no right to something.
    static func forbidden(_ caller: Caller) -> Reply {
        let detail = "User id \(caller.user) has not been given the right that this request takes."
        return .problem(Problem(.forbidden, detail: detail))
    }

    private static func allows(_ access: AccessRules, _ caller: Caller, _ right: Right, _ resource: Resource) -> Bool {
        if access.allow(caller, right, over: resource.user) { return true }
        switch resource {
        // Any one account is enough: list and events show those whom the caller may see, and whose a state is becomes known only when it
        // is looked up, and is asked for again then.
        case .list, .events, .authorization: return access.accounts(of: caller, right) != []
        default: return false
        }
    }

    /// What a request gets that breaks the rules of HTTP/1.1, or whose method the path does not take.
    static func fault(_ head: HTTPRequestHead, _ resource: Resource) -> Reply? {
        // RFC 9112 section 3.2: exactly one Host in HTTP/1.1; on the socket, nothing is decided by what it says.
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
}

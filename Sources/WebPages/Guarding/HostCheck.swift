// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Hummingbird

/// Lets only requests through that were meant for the pages' own address.
///
/// A page of a stranger can have its name point to 127.0.0.1 and would then be of one origin with whatever answers there (DNS
/// rebinding); the browser still says which name it believes to talk to. What proxies say of the name (`Forwarded`,
/// `X-Forwarded-Host`) is looked at nowhere, since anybody can say it.
struct HostCheck: RouterMiddleware {
    typealias Context = WebContext

    let origin: WebOrigin

    func handle(
        _ request: Request,
        context: WebContext,
        next: @concurrent (Request, WebContext) async throws -> Response
    ) async throws -> Response {
        // The first `Host` is the request's authority; a second one stays among the fields.
        let others = HTTPFields.Element.Name("Host").map { request.headers[values: $0].count } ?? 0
        if let failure = failure(authority: request.head.authority, others: others) { throw failure }
        return try await next(request, context)
    }

    /// Why a request is not let through; nil if it is.
    ///
    /// - Parameters:
    ///   - authority: the field `Host`; nil if there was none.
    ///   - others: how many further ones there were.
    /// - Returns: the page that says so.
    func failure(authority: String?, others: Int) -> PageFailure? {
        guard let authority, others == 0 else {
            return PageFailure(
                .badRequest,
                "The request does not say where it is meant to go",
                "It has to name one host, and names none or several.",
                "Open \(origin) in a browser."
            )
        }
        guard authority.lowercased() == origin.authority else {
            return PageFailure(
                .misdirectedRequest,
                "These pages are at another address",
                "They answer to one name only, so that no other site can pass for them.",
                "Open \(origin), or ask the operator to set web.publicUrl to the address that you use."
            )
        }
        return nil
    }
}

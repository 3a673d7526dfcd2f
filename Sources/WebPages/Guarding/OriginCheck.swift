// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Hummingbird

/// Lets nothing be changed but from the pages themselves: whatever may change something has to come with the pages' own origin,
/// to the letter. A missing one, or the `null` of a page that hides its own, is refused: every browser sends it with forms.
struct OriginCheck: RouterMiddleware {
    typealias Context = WebContext

    let origin: WebOrigin

    func handle(
        _ request: Request,
        context: WebContext,
        next: @concurrent (Request, WebContext) async throws -> Response
    ) async throws -> Response {
        if let failure = failure(method: request.method.rawValue, origins: request.headers[values: .origin]) {
            throw failure
        }
        return try await next(request, context)
    }

    /// Why a request is not let through; nil if it is.
    ///
    /// - Parameters:
    ///   - method: what is wanted.
    ///   - origins: every field `Origin`.
    /// - Returns: the page that says so.
    func failure(method: String, origins: [String]) -> PageFailure? {
        guard method != "GET", method != "HEAD", origins != [origin.description] else { return nil }
        return PageFailure(
            .forbidden,
            "This did not come from these pages",
            "A form was sent from somewhere else, and nothing was changed.",
            "Open \(origin) and use the form there. If you did, look whether an extension of the browser takes the field Origin away."
        )
    }
}

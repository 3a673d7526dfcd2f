// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Hummingbird

/// The fields that every reply has, and a page in words for every failure. It stands before all other checks.
struct ReplyFields: RouterMiddleware {
    typealias Context = WebContext

    let isSecure: Bool
    let pages: PageRenderer

    func handle(
        _ request: Request,
        context: WebContext,
        next: @concurrent (Request, WebContext) async throws -> Response
    ) async throws -> Response {
        var response: Response
        do {
            response = try await next(request, context)
        } catch let failure as PageFailure {
            response = pages.response(to: failure)
        } catch let error as any HTTPResponseError {
            response = pages.response(to: PageFailure(status: error.status))
        }
        // What else is thrown is the connection's end: bytes that are no HTTP, or that stop coming.
        add(to: &response.headers)
        return response
    }

    /// Adds the fields; a policy that the page brought itself stays.
    func add(to fields: inout HTTPFields) {
        if fields[.contentSecurityPolicy] == nil { fields[.contentSecurityPolicy] = ContentPolicy.text() }
        fields[.xContentTypeOptions] = "nosniff"
        fields[.cacheControl] = "no-store"
        fields[.server] = nil
        if isSecure { fields[.strictTransportSecurity] = "max-age=31536000" }
        for (name, value) in Self.unnamed { fields[name] = value }
    }

    /// Those that the library has no names for.
    ///
    /// Other sites are told nothing of where somebody comes from. `no-referrer` would go too far: with it browsers send forms with the
    /// origin `null`, to the page's own site too (Fetch Standard, "append a request `Origin` header"), and ``OriginCheck`` takes
    /// none of that.
    private static let unnamed: [(HTTPFields.Element.Name, String)] = [
        ("Referrer-Policy", "same-origin"), ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
    ].compactMap { name, value in HTTPFields.Element.Name(name).map { ($0, value) } }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Hummingbird

extension WebPages {
    /// Who asks.
    ///
    /// - Throws: a page that says how to sign in.
    func visit(_ request: Request) throws(PageFailure) -> Visit {
        guard let token = cookie.value(in: request), let session = door.session(token) else { throw .notSignedIn }
        return Visit(formToken: session.formToken)
    }

    /// The form that came with a request.
    ///
    /// - Throws: a page that says why it cannot be read.
    func form(_ request: Request) async throws -> FormFields {
        let kind = request.headers[.contentType]?.lowercased().split(separator: ";").first
        guard kind?.filter({ $0 != " " }) == "application/x-www-form-urlencoded" else {
            throw PageFailure(status: .unsupportedMediaType)
        }
        var request = request
        let body = try await request.collectBody(upTo: FormFields.bodyLimit)
        return try Self.fields(body.readableBytesView)
    }

    /// The form of a session's page that came with a request.
    ///
    /// - Throws: a page that says why it cannot be read, or is not the session's.
    func form(_ request: Request, of visit: Visit) async throws -> FormFields {
        let form = try await form(request)
        try visit.check(form)
        return form
    }

    /// What stands in an address after its question mark.
    ///
    /// - Throws: a page that says why it cannot be read.
    func query(_ request: Request) throws(PageFailure) -> FormFields {
        try Self.fields((request.uri.query ?? "").utf8)
    }

    private static func fields(_ bytes: some Collection<UInt8>) throws(PageFailure) -> FormFields {
        do throws(FormFlaw) {
            return try FormFields(bytes)
        } catch {
            throw PageFailure(status: error == .tooLarge ? .contentTooLarge : .badRequest)
        }
    }

    /// A reply that leads to another page, whatever was asked for.
    func redirect(to path: String, cookie: String? = nil) -> Response {
        var response = Response(status: .seeOther, headers: [.location: path])
        if let cookie { response.headers[.setCookie] = cookie }
        return response
    }
}

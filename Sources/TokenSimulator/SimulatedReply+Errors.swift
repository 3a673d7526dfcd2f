// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// Replies that bring no token.
extension SimulatedReply {
    private struct Numbered: Encodable {
        struct Content: Encodable {
            let code: Int
            let message: String
        }
        let error: Content
    }

    private struct Reasoned: Encodable {
        struct Content: Encodable {
            let code: String
            let message: String
            let errors: [[String: String]]
        }
        let error: Content
    }

    /// A refusal in the token endpoint's own form (fact sheet section 4.3), or in one of the others that are told of.
    static func refusal(
        _ status: Int,
        _ code: String,
        _ description: String,
        _ shape: RefusalShape = .tastytrade
    ) -> SimulatedReply {
        switch shape {
        case .tastytrade: .json(status, ["error_code": code, "error_description": description])
        case .rfc6749: .json(status, ["error": code, "error_description": description])
        case .envelope: .envelope(status, code, description)
        case .envelopeErrors:
            .json(
                status,
                Reasoned(
                    error: .init(
                        code: code,
                        message: description,
                        errors: [["domain": code, "reason": description]]
                    )
                )
            )
        case .numeric: .json(status, Numbered(error: .init(code: status, message: description)))
        case .description: .json(status, ["error_description": description])
        case .message: .json(status, ["message": description])
        }
    }

    /// 429.
    static func rateLimited(_ hint: RetryAfterHint, at now: SimulatorInstant) -> SimulatedReply {
        let value: String? =
            switch hint {
            case .none: nil
            case .seconds(let seconds): String(seconds)
            case .date(let delay): (now + delay).httpDate
            case .text(let text): text
            }
        let fields = value.map { [Field(name: "Retry-After", value: $0)] } ?? []
        return .envelope(429, "too_many_requests", "Too Many Requests", fields: fields)
    }

    /// A redirect, with nginx's page.
    static func redirect(_ status: Int, _ location: String) -> SimulatedReply {
        .page(status, title(of: status), fields: [Field(name: "Location", value: location)])
    }

    /// A gateway's page, in the form nginx gives it.
    static func page(_ status: Int, _ title: String, fields: [Field] = []) -> SimulatedReply {
        let text = """
            <html>\r
            <head><title>\(status) \(title)</title></head>\r
            <body>\r
            <center><h1>\(status) \(title)</h1></center>\r
            <hr><center>nginx</center>\r
            </body>\r
            </html>\r

            """
        return SimulatedReply(status, type: "text/html", Array(text.utf8), fields: fields)
    }

    /// A firewall's page: no verdict of the service behind it.
    private static func firewall(_ status: Int, fields: [Field]) -> SimulatedReply {
        let text = """
            <!DOCTYPE html>
            <html lang="en"><head><title>Request blocked</title></head>
            <body><h1>Request blocked</h1>
            <p>Our firewall took this request for an attack. Reference: 7a57e51d0bad</p></body></html>

            """
        return SimulatedReply(status, type: "text/html; charset=utf-8", Array(text.utf8), fields: fields)
    }

    /// The error page of a fault.
    static func errorPage(_ page: ErrorPage) -> SimulatedReply {
        let fields = page.retryAfter.map { [Field(name: "Retry-After", value: $0)] } ?? []
        switch page.body {
        case .html: return .page(page.status, title(of: page.status), fields: fields)
        case .json: return .envelope(page.status, "internal_error", title(of: page.status), fields: fields)
        case .waf: return .firewall(page.status, fields: fields)
        case .empty: return SimulatedReply(page.status, fields: fields)
        }
    }

    private static func title(of status: Int) -> String {
        let titles = [
            301: "Moved Permanently", 302: "Found", 303: "See Other", 307: "Temporary Redirect",
            308: "Permanent Redirect", 400: "Bad Request", 401: "Authorization Required", 403: "Forbidden",
            404: "Not Found", 408: "Request Time-out", 413: "Request Entity Too Large", 429: "Too Many Requests",
            500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Temporarily Unavailable",
            504: "Gateway Time-out",
        ]
        return titles[status] ?? "Error"
    }
}

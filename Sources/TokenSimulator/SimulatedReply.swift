// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import FoundationEssentials

/// An HTTP reply.
struct SimulatedReply: Hashable, Sendable {
    /// A header field.
    struct Field: Hashable, Sendable {
        /// The field's name.
        let name: String
        /// The field's value.
        let value: String
    }

    /// The HTTP status.
    let status: Int
    /// Fields beside the length.
    var fields: [Field]
    /// The body.
    let body: [UInt8]

    /// A reply with a body of some type, and fields beside it.
    init(_ status: Int, type: String? = nil, _ body: [UInt8] = [], fields: [Field] = []) {
        self.status = status
        self.fields = (type.map { [Field(name: "Content-Type", value: $0)] } ?? []) + fields
        self.body = body
    }

    /// A reply in JSON.
    static func json(_ status: Int, _ value: some Encodable, fields: [Field] = []) -> SimulatedReply {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // What is encoded here are the simulator's own plain values; if one of them cannot be, it shows as an empty body.
        let body = (try? encoder.encode(value)).map { Array($0) } ?? []
        return SimulatedReply(status, type: "application/json", body, fields: fields)
    }

    /// A refusal in the token endpoint's own form (fact sheet section 4.3).
    static func refusal(_ status: Int, _ code: String, _ description: String) -> SimulatedReply {
        json(status, ["error_code": code, "error_description": description])
    }

    /// The ordinary error envelope (fact sheet section 8).
    static func envelope(_ status: Int, _ code: String, _ message: String, fields: [Field] = []) -> SimulatedReply {
        json(status, ["error": ["code": code, "message": message]], fields: fields)
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

    /// The error page of a fault.
    static func errorPage(_ page: ErrorPage) -> SimulatedReply {
        let fields = page.retryAfter.map { [Field(name: "Retry-After", value: $0)] } ?? []
        switch page.body {
        case .html: return .page(page.status, title(of: page.status), fields: fields)
        case .json: return .envelope(page.status, "internal_error", title(of: page.status), fields: fields)
        case .empty: return SimulatedReply(page.status, fields: fields)
        }
    }

    private static func title(of status: Int) -> String {
        let titles = [
            429: "Too Many Requests", 500: "Internal Server Error", 502: "Bad Gateway",
            503: "Service Temporarily Unavailable", 504: "Gateway Time-out",
        ]
        return titles[status] ?? "Error"
    }
}

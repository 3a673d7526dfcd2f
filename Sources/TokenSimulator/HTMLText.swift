// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// Text within a page.
enum HTMLText {
    /// The text in a form that is neither markup nor the end of an attribute's value.
    static func escaped(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&#39;"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }

    /// A whole page: its title, and what stands in its body, which is markup already. It runs no script, fetches nothing, and
    /// is shown in no frame. What its form may be answered with is left open: a browser would apply that to where the answer
    /// leads as well.
    static func page(_ status: Int, title: String, _ body: String) -> SimulatedReply {
        let text = """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>\(escaped(title))</title>
            <style>
            :root { color-scheme: light dark; }
            body { font: 1.1rem/1.5 sans-serif; max-width: 36rem; margin: 2rem auto; padding: 0 1rem; }
            input, button { font: inherit; padding: 0.4rem 0.8rem; }
            input { display: block; box-sizing: border-box; width: 100%; margin-bottom: 1rem; }
            code { overflow-wrap: anywhere; }
            </style>
            </head>
            <body>
            <main>
            \(body)
            </main>
            </body>
            </html>

            """
        let fields = [
            ("Cache-Control", "no-store"), ("Referrer-Policy", "no-referrer"), ("X-Content-Type-Options", "nosniff"),
            (
                "Content-Security-Policy",
                "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"
            ),
        ]
        return SimulatedReply(
            status,
            type: "text/html; charset=utf-8",
            Array(text.utf8),
            fields: fields.map { SimulatedReply.Field(name: $0.0, value: $0.1) }
        )
    }
}

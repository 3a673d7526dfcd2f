// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// Shapes that look odd and can be taken in one way only. What follows them is answered where the connection goes on; what
/// is hidden in a body never is.
extension RequestShape {
    static let clear: [RequestShape] = [
        post("a body that is a request", "Content-Length: \(hidden.utf8.count)\r\n", answered: [405]),
        RequestShape(
            "a GET whose body is a request",
            [200],
            before: "GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: \(hidden.utf8.count)\r\n\r\n"
        ),
        chunks(
            "a request as one",
            "\(String(hidden.utf8.count, radix: 16))\r\n\(hidden)\r\n0\r\n\r\n",
            answered: [405, 200]
        ),
        chunks("zeros before the size", "0000000000000000000000003\r\nabc\r\n0\r\n\r\n", answered: [405, 200]),
        chunks("capital letters", "A\r\n0123456789\r\n0\r\n\r\n", answered: [405, 200]),
        chunks("an extension", "3;a=b\r\nabc\r\n0\r\n\r\n", answered: [405, 200]),
        chunks("an extension in quotes", "3;a=\"b\"\r\nabc\r\n0\r\n\r\n", answered: [405, 200]),
        chunks("a trailer", "3\r\nabc\r\n0\r\nX: y\r\n\r\n", answered: [405, 200]),
        // A trailer is never taken for the header.
        chunks("a Host in the trailer", "3\r\nabc\r\n0\r\nHost: y\r\n\r\n", answered: [405, 200]),
        post("chunked in capitals", "Transfer-Encoding: CHUNKED\r\n", body: "0\r\n\r\n", answered: [405, 200]),
        // Another name is another field.
        post("a length with an underscore", "Content_Length: 54\r\n", answered: [405, 200]),
        post("a length with zeros before it", "Content-Length: 0003\r\n", body: "abc", answered: [405, 200]),
        // Where the request ends is certain, and so is that it is refused.
        header("two Hosts", "Host: x\r\nHost: y\r\n\r\n", answered: [400, 200]),
        header("one Host twice", "Host: x\r\nHost: x\r\n\r\n", answered: [400, 200]),
        header("no Host", "\r\n", answered: [400, 200]),
        line("the absolute form", "GET http://localhost/v1/users/42/token HTTP/1.1", answered: [200, 200]),
        // The target outweighs Host (RFC 9112 section 3.2.2), and nothing is decided by either here.
        line(
            "the absolute form for another host",
            "GET http://other/v1/users/42/token HTTP/1.1",
            answered: [200, 200]
        ),
        line("the authority form", "CONNECT localhost:80 HTTP/1.1", answered: [404]),
        line("the asterisk form", "OPTIONS * HTTP/1.1", answered: [404, 200]),
        line("an asterisk for a path", "GET * HTTP/1.1", answered: [404, 200]),
        line("a fragment", "GET /v1/users/42/token#x HTTP/1.1", answered: [404, 200]),
        line("two slashes", "GET //v1/users/42/token HTTP/1.1", answered: [404, 200]),
        line("backslashes", "GET /v1\\users\\42\\token HTTP/1.1", answered: [404, 200]),
        line("a slash in disguise", "GET /v1%2Fusers/42/token HTTP/1.1", answered: [404, 200]),
        line("a way up", "GET /v1/users/../users/42/token HTTP/1.1", answered: [404, 200]),
        line("HTTP/1.0, which ends the connection", "GET /v1/users/42/token HTTP/1.0", answered: [200]),
        // RFC 9112 section 2.2: empty lines before a request are passed over, and a bare LF may end one. The decoder does the
        // same with a bare CR, and with a second space after the method (section 3).
        RequestShape("an empty line before it", [200], before: "\r\n"),
        RequestShape("empty lines before it", [200], before: "\r\n\r\n\r\n"),
        RequestShape("a bare LF before it", [200], before: "\n"),
        RequestShape("a bare CR before it", [200], before: "\r"),
        line("two spaces after the method", "GET  /v1/users/42/token HTTP/1.1", answered: [200, 200]),
        // The decoder knows this protocol too and takes it for HTTP/1.0: a last answer.
        line("RTSP", "GET /v1/users/42/token RTSP/1.0", answered: [200]),
    ]
}

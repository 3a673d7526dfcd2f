// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// Shapes that two readers could take for different requests. Each is refused, and nothing after it is answered.
extension RequestShape {
    static let ambiguous = lengths + codings + chunks + headers + lines

    private static let lengths: [RequestShape] = [
        post("two lengths", "Content-Length: 3\r\nContent-Length: 4\r\n", body: "abc"),
        post("one length twice", "Content-Length: 3\r\nContent-Length: 3\r\n", body: "abc"),
        post("a list of lengths", "Content-Length: 3, 3\r\n", body: "abc"),
        post("a length with a plus", "Content-Length: +3\r\n", body: "abc"),
        post("a length with a minus", "Content-Length: -3\r\n", body: "abc"),
        post("a hexadecimal length", "Content-Length: 0x3\r\n", body: "abc"),
        post("a length with a fraction", "Content-Length: 3.0\r\n", body: "abc"),
        post("a length with a space in it", "Content-Length: 5 3\r\n", body: "abc"),
        post("a length of nothing", "Content-Length:\r\n", body: "abc"),
        post("a length on a second line", "Content-Length:\r\n 3\r\n", body: "abc"),
        post("a length with a NUL", "Content-Length: 3\0\r\n", body: "abc"),
        post("a length beyond 64 bits", "Content-Length: 18446744073709551619\r\n", body: "abc"),
        post("a length of all 64 bits", "Content-Length: 18446744073709551615\r\n", body: "abc", answered: [413]),
        post("a length beyond 63 bits", "Content-Length: 9223372036854775808\r\n", body: "abc", answered: [413]),
        post("a length, and a space before its colon", "Content-Length : 3\r\n", body: "abc"),
    ]

    private static let codings: [RequestShape] = [
        post("a length and chunks", "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", body: "0\r\n\r\n"),
        post("chunks and a length", "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", body: "0\r\n\r\n"),
        post("no coding and a length", "Transfer-Encoding:\r\nContent-Length: 3\r\n", body: "abc"),
        post("no coding", "Transfer-Encoding:\r\n"),
        post("chunked twice", "Transfer-Encoding: chunked, chunked\r\n", body: "0\r\n\r\n"),
        post(
            "chunked in two fields",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            body: "0\r\n\r\n"
        ),
        post("chunked before another", "Transfer-Encoding: chunked, identity\r\n", body: "0\r\n\r\n"),
        post("chunked after another", "Transfer-Encoding: gzip, chunked\r\n", body: "0\r\n\r\n"),
        post("another in a field before", "Transfer-Encoding: x\r\nTransfer-Encoding: chunked\r\n", body: "0\r\n\r\n"),
        post("another in a field after", "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n", body: "0\r\n\r\n"),
        post("a coding that ends like it", "Transfer-Encoding: xchunked\r\n", body: "0\r\n\r\n"),
        post("chunked with a parameter", "Transfer-Encoding: chunked;q=1\r\n", body: "0\r\n\r\n"),
        post("chunked and a comma", "Transfer-Encoding: chunked,\r\n", body: "0\r\n\r\n"),
        post("chunked in quotes", "Transfer-Encoding: \"chunked\"\r\n", body: "0\r\n\r\n"),
        post("chunked after a vertical tab", "Transfer-Encoding: \u{0B}chunked\r\n", body: "0\r\n\r\n"),
        post("identity", "Transfer-Encoding: identity\r\n"),
        post("chunks in HTTP/1.0", "Transfer-Encoding: chunked\r\n", version: "1.0", body: "0\r\n\r\n"),
        post("chunked, and a space before its colon", "Transfer-Encoding : chunked\r\n", body: "0\r\n\r\n"),
    ]

    private static let chunks: [RequestShape] = [
        chunks("a size with a prefix", "0x3\r\nabc\r\n0\r\n\r\n"),
        chunks("a size with a plus", "+3\r\nabc\r\n0\r\n\r\n"),
        chunks("a size with a minus", "-3\r\nabc\r\n0\r\n\r\n"),
        chunks("a size after a space", " 3\r\nabc\r\n0\r\n\r\n"),
        chunks("a size before a space", "3 \r\nabc\r\n0\r\n\r\n"),
        chunks("no size", "\r\nabc\r\n0\r\n\r\n"),
        chunks("a size beyond 64 bits", "10000000000000003\r\nabc\r\n0\r\n\r\n"),
        chunks("a size of all 64 bits", "ffffffffffffffff\r\nabc\r\n0\r\n\r\n"),
        chunks("a size too small", "3\r\nabcd\r\n0\r\n\r\n"),
        chunks("a size too large", "5\r\nabc\r\n0\r\n\r\n"),
        chunks("a bare LF after the size", "3\nabc\r\n0\r\n\r\n"),
        chunks("a bare CR after the size", "3\rabc\r\n0\r\n\r\n"),
        chunks("a bare LF after the data", "3\r\nabc\n0\r\n\r\n"),
        chunks("nothing after the data", "3\r\nabc0\r\n\r\n"),
        chunks("a bare LF in an extension", "3;a\nabc\r\n0\r\n\r\n"),
        chunks("an open quote in an extension", "3;a=\"\r\nabc\r\n0\r\n\r\n"),
        chunks("a length in the trailer", "3\r\nabc\r\n0\r\nContent-Length: 5\r\n\r\n"),
        chunks("a coding in the trailer", "3\r\nabc\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n"),
        chunks("a request for a trailer", "0\r\n"),
    ]

    private static let headers: [RequestShape] = [
        header("a folded field", "Host: x\r\nX: a\r\n b\r\n\r\n"),
        header("a field folded by a tab", "Host: x\r\nX: a\r\n\tb\r\n\r\n"),
        header("a folded Host", "Host:\r\n x\r\n\r\n"),
        header("a space before the first field", " Host: x\r\n\r\n"),
        header("a space before the colon", "Host : x\r\n\r\n"),
        header("a tab before the colon", "Host\t: x\r\n\r\n"),
        header("no colon", "Host: x\r\nX\r\n\r\n"),
        header("no name", "Host: x\r\n: a\r\n\r\n"),
        header("a bare CR in a value", "Host: x\r\nX: a\rContent-Length: 3\r\n\r\n"),
        header("a bare LF in a value", "Host: x\r\nX: a\nContent-Length: 3\r\n\r\n"),
        header("two CRs", "Host: x\r\nX: a\r\r\n\r\n"),
        header("a NUL in a value", "Host: x\r\nX: a\0b\r\n\r\n"),
        header("a NUL in a name", "Host: x\r\nX\0: a\r\n\r\n"),
        header("a DEL in a value", "Host: x\r\nX: \u{7F}\r\n\r\n"),
        header("a letter beyond ASCII in a name", "Host: x\r\né: a\r\n\r\n"),
        header("a parenthesis in a name", "Host: x\r\nX(: a\r\n\r\n"),
        header("bare LFs only", "Host: x\n\n"),
        header("a bare LF at the end", "Host: x\r\n\n"),
        header("a bare CR at the end", "Host: x\r\n\r"),
    ]

    private static let lines: [RequestShape] = [
        line("a bare LF", "GET /v1/users/42/token HTTP/1.1\nX: y"),
        line("a tab after the method", "GET\t/v1/users/42/token HTTP/1.1"),
        line("a tab after the target", "GET /v1/users/42/token\tHTTP/1.1"),
        line("a space at the end", "GET /v1/users/42/token HTTP/1.1 "),
        line("a space before the method", " GET /v1/users/42/token HTTP/1.1"),
        line("a space in the target", "GET /v1/users/42/token x HTTP/1.1"),
        line("a NUL in the target", "GET /v1/users/42/token\0 HTTP/1.1"),
        line("a control in the target", "GET /v1/users/4\u{1}2/token HTTP/1.1"),
        line("a letter beyond ASCII in the target", "GET /v1/users/é/token HTTP/1.1"),
        line("an authority for a target", "GET localhost:80 HTTP/1.1"),
        line("HTTP/0.9", "GET /v1/users/42/token"),
        line("HTTP/1.2", "GET /v1/users/42/token HTTP/1.2"),
        line("HTTP/1.10", "GET /v1/users/42/token HTTP/1.10"),
        line("HTTP/01.1", "GET /v1/users/42/token HTTP/01.1"),
        line("HTTP/2.0", "GET /v1/users/42/token HTTP/2.0"),
        line("a version in lower case", "GET /v1/users/42/token http/1.1"),
        line("a method in lower case", "get /v1/users/42/token HTTP/1.1"),
        line("another protocol", "GET /v1/users/42/token ICE/1.0"),
        RequestShape("the preface of HTTP/2", [400], before: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        RequestShape("a NUL before it", [400], before: "\0"),
        RequestShape("a byte order mark before it", [400], before: "\u{FEFF}"),
    ]
}

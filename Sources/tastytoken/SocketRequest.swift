// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// One request, as it goes over the socket.
struct SocketRequest: Equatable {
    /// The method.
    enum Method: String {
        case get = "GET"
        case post = "POST"
        case put = "PUT"
        case delete = "DELETE"
    }

    /// What is done with the target.
    var method = Method.get
    /// The path and query, as `APIPath` makes them.
    let target: String
    /// Header fields that this request has besides those of every one.
    var fields: [(name: String, value: String)] = []
    /// What is sent along, in JSON; nil where nothing is.
    var body: [UInt8]?

    /// The bytes on the wire.
    var bytes: [UInt8] {
        var text = "\(method.rawValue) \(target) HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n"
        for field in fields { text += "\(field.name): \(field.value)\r\n" }
        if let body {
            text += "Content-Type: application/json\r\nContent-Length: \(body.count)\r\n"
        } else if method == .post {
            text += "Content-Length: 0\r\n"
        }
        return Array((text + "\r\n").utf8) + (body ?? [])
    }

    static func == (one: SocketRequest, other: SocketRequest) -> Bool {
        one.bytes == other.bytes
    }
}

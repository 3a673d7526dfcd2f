// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import Synchronization
import TestSupport

/// An HTTP server on a Unix socket that answers as the test says, for answers that are hard to have from a real daemon.
final class ScriptedServer: Sendable {
    /// A request as it came.
    struct Request: Sendable {
        let method: String
        let target: String
        /// By their names in small letters.
        let fields: [String: String]
    }

    /// Where it listens.
    let path: String
    /// Gives the reply to a request, for a server that stands before this one.
    let answer: @Sendable (Request) -> String?
    private let listener: CInt
    private let seen = Mutex<[Request]>([])

    /// The requests so far, in order.
    var requests: [Request] { seen.withLock { $0 } }

    /// Listens. `answer` is called on a thread of its own, so that it may block, and gives the reply's bytes; nil hangs up.
    init(at path: String, answer: @escaping @Sendable (Request) -> String?) throws {
        self.path = path
        self.answer = answer
        self.listener = try Self.listening(at: path)
        Thread.detachNewThread { [listener] in
            while true {
                let connection = accept(listener, nil, nil)
                guard connection >= 0 else { return }
                Thread.detachNewThread { [weak self] in
                    defer { close(connection) }
                    guard let request = Self.request(from: connection) else { return }
                    self?.seen.withLock { $0.append(request) }
                    guard let reply = answer(request) else { return }
                    Self.send(reply, to: connection)
                }
            }
        }
    }

    deinit { stop() }

    /// Listens no more; the socket is gone.
    func stop() {
        shutdown(listener, CInt(SHUT_RDWR))
        unlink(path)
    }

    /// A reply with that body.
    static func reply(_ status: Int, _ body: String = "", _ fields: [String] = []) -> String {
        let more = fields.map { "\($0)\r\n" }.joined()
        let length = status == 304 ? "" : "Content-Length: \(body.utf8.count)\r\n"
        return "HTTP/1.1 \(status) So\r\nConnection: close\r\n\(length)\(more)\r\n\(status == 304 ? "" : body)"
    }

    /// A problem of the API.
    static func problem(_ status: Int, _ code: String, _ detail: String, _ fields: [String] = []) -> String {
        let body = #"{"type":"about:blank","code":"\#(code)","title":"t","status":\#(status),"detail":"\#(detail)"}"#
        return reply(status, body, ["Content-Type: application/problem+json"] + fields)
    }

    /// A token, with the ETag `"token"`.
    static func token(_ token: String, of user: String = "42", expiresIn: Int = 600, _ fields: [String] = []) -> String
    {
        let body = """
            {"user":"\(user)","access_token":"\(token)","token_type":"Bearer","expires_at":"2026-01-01T00:10:00Z",\
            "expires_in":\(expiresIn),"environment":"sandbox","api_url":"https://api.cert.tastyworks.com","new":[1]}
            """
        return reply(200, body, ["ETag: \"\(token)\"", "Content-Type: application/json"] + fields)
    }

    /// An account as the daemon tells of it, with a field that no tool knows.
    static func account(
        _ user: String,
        _ status: String = "active",
        expiresAt: String? = "2026-01-01T00:10:00.25Z",
        failures: Int = 0,
        error: String? = nil
    ) -> String {
        func text(_ value: String?) -> String { value.map { "\"\($0)\"" } ?? "null" }
        return """
            {"user":"\(user)","status":"\(status)","environment":"sandbox","client":"default",\
            "expires_at":\(text(expiresAt)),"last_refreshed_at":null,"next_refresh_at":null,\
            "consecutive_failures":\(failures),"last_error":\(text(error)),"new":{"a":[1,"}"]}}
            """
    }
}

extension ScriptedServer {
    private static func listening(at path: String) throws -> CInt {
        unlink(path)
        let descriptor = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        let status = withUnixAddress(path) { bind(descriptor, $0, $1) }
        guard status == 0, listen(descriptor, 64) == 0 else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
        return descriptor
    }

    private static func request(from connection: CInt) -> Request? {
        var bytes: [UInt8] = []
        while !String(decoding: bytes, as: UTF8.self).contains("\r\n\r\n") {
            var buffer = [UInt8](repeating: 0, count: 4096)
            let count = read(connection, &buffer, buffer.count)
            guard count > 0 else { return nil }
            bytes += buffer.prefix(count)
        }
        let lines = String(decoding: bytes, as: UTF8.self).components(separatedBy: "\r\n")
        let words = lines[0].split(separator: " ").map(String.init)
        guard words.count == 3 else { return nil }
        let fields = lines.dropFirst().compactMap { line -> (String, String)? in
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { return nil }
            return (parts[0].lowercased(), parts[1].trimmingCharacters(in: .whitespaces))
        }
        return Request(method: words[0], target: words[1], fields: Dictionary(fields) { first, _ in first })
    }

    private static func send(_ reply: String, to connection: CInt) {
        var rest = Array(reply.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Foundation.send(connection, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL))
            }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }
}

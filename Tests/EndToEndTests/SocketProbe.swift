// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import Glibc
import TestSupport

/// A caller of the socket who keeps his connection and may send many requests at once.
struct SocketProbe: ~Copyable {
    struct Reply: Sendable {
        let status: Int
        let head: String
        let body: String

        /// A member of the body.
        func member<Value>(_ name: String, as type: Value.Type = String.self) -> Value? {
            let object = try? JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any]
            return object?[name] as? Value
        }

        /// The validator of the token that it brings.
        var etag: String? { head.firstMatch(of: /(?i)etag: (\S+)/).map { String($0.1) } }
    }

    enum Failure: Error {
        case system(String, Int32)
        case malformed(String)
        case ended
    }

    private let descriptor: Int32
    private var received: [UInt8] = []

    init(at path: String) throws {
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw Failure.system("socket", errno) }
        var patience = timeval(tv_sec: 70, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        let status = withUnixAddress(path) { connect(descriptor, $0, $1) }
        guard status == 0 else { throw Failure.system("connect", errno) }
    }

    deinit {
        close(descriptor)
    }

    /// Sends the requests in one go and reads their replies, in order.
    mutating func get(_ paths: [String], headers: [String] = [], whenSent: () -> Void = {}) throws -> [Reply] {
        let more = headers.map { "\($0)\r\n" }.joined()
        try send(paths.map { "GET \($0) HTTP/1.1\r\nHost: localhost\r\n\(more)\r\n" }.joined())
        whenSent()
        return try paths.map { _ in try reply() }
    }

    /// Sends a request and reads the first reply there is, be it to this request or one that came before it was sent.
    mutating func answer(to path: String) throws -> Reply {
        try? send("GET \(path) HTTP/1.1\r\nHost: localhost\r\n\r\n")
        return try reply()
    }

    /// Sends a text as it is, and reads one reply.
    mutating func exchange(_ request: String) throws -> Reply {
        try send(request)
        return try reply()
    }

    /// Sends a text as it is, and gives each line of what comes back, until the other end has no more to say.
    mutating func eachLine(answering request: String, _ take: (String) throws -> Void) throws {
        try send(request)
        while true {
            while let end = received.firstIndex(of: UInt8(ascii: "\n")) {
                let line = String(decoding: received[..<end], as: UTF8.self)
                received.removeFirst(end + 1)
                try take(line.trimmingCharacters(in: .newlines))
            }
            do { try receive() } catch Failure.ended { return }
        }
    }

    /// Has the daemon at a socket refresh an account, without waiting for it.
    static func orderRefresh(of user: Int, at socket: String) throws -> Reply {
        var probe = try SocketProbe(at: socket)
        let fields = "Host: localhost\r\nContent-Length: 0\r\n\r\n"
        return try probe.exchange("POST /v1/users/\(user)/refresh?max_wait=0 HTTP/1.1\r\n\(fields)")
    }

    /// One request on a connection of its own.
    static func get(_ path: String, headers: [String] = [], at socket: String) throws -> Reply {
        var probe = try SocketProbe(at: socket)
        return try probe.get([path], headers: headers)[0]
    }

    private func send(_ text: String) throws {
        var rest = ArraySlice(text.utf8)
        while !rest.isEmpty {
            let count = Array(rest).withUnsafeBytes {
                Foundation.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw Failure.system("write", errno) }
            rest = rest.dropFirst(count)
        }
    }

    private mutating func reply() throws -> Reply {
        let separator = Array("\r\n\r\n".utf8)
        var end: Int?
        while end == nil {
            end = received.firstRange(of: separator)?.upperBound
            if end == nil { try receive() }
        }
        let head = String(decoding: received[..<(end ?? 0)], as: UTF8.self)
        let fields = head.split(separator: "\r\n")
        let length = fields.first { $0.lowercased().hasPrefix("content-length:") }?.split(separator: ":").last
        guard let status = fields.first?.split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else {
            throw Failure.malformed(head)
        }
        let size = length.flatMap { Int($0.trimmingCharacters(in: .whitespaces)) } ?? 0
        while received.count < (end ?? 0) + size { try receive() }
        let body = String(decoding: received[(end ?? 0)..<(end ?? 0) + size], as: UTF8.self)
        received.removeFirst((end ?? 0) + size)
        return Reply(status: status, head: head, body: body)
    }

    private mutating func receive() throws {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = read(descriptor, &buffer, buffer.count)
        guard count >= 0 else { throw Failure.system("read", errno) }
        guard count > 0 else { throw Failure.ended }
        received.append(contentsOf: buffer[..<count])
    }
}

/// A caller who keeps his connection for as long as somebody keeps him.
final class KeptProbe {
    private var probe: SocketProbe

    init(at path: String) throws {
        probe = try SocketProbe(at: path)
    }

    func status(of path: String) throws -> Int {
        try probe.answer(to: path).status
    }
}

/// Does what blocks on a thread of its own: the cooperative pool's must not block, and Dispatch's global pool grows by one
/// thread a second when its threads do.
func onThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Result(catching: body)) }
    }
}

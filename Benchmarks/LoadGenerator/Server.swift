// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Glibc

/// A server under load: where it listens, and how it is asked.
struct Server {
    /// The protocols that are compared.
    enum Kind {
        /// `GET /v1/users/{user}/token`.
        case http
        /// Redis's `GET`.
        case redis
        /// oidc-agent's request for an access token, in plain text: it answers and hangs up.
        case agent(account: String)

        /// Whether a reply ends with its connection.
        var hangsUp: Bool {
            if case .agent = self { true } else { false }
        }
    }

    /// How it is asked.
    let kind: Kind
    /// Its socket.
    let path: String
    /// Whether each request has a connection of its own.
    let connectsAnew: Bool
    /// One request for each key, ready to be sent.
    let requests: [[UInt8]]
    /// The length of the reply to each, learnt by asking once.
    let replyLengths: [Int]

    /// Asks once for every key, so that under load bytes need only be counted.
    init(_ kind: Kind, at path: String, keys: Int, connectingAnew: Bool = false) throws {
        self.kind = kind
        self.path = path
        self.connectsAnew = connectingAnew || kind.hangsUp
        self.requests = (1...keys).map { Self.request(kind, key: $0) }
        let connection = try Connection(to: path)
        defer { connection.close() }
        self.replyLengths = try requests.map { try Self.reply(kind, to: $0, on: connection).count }
    }

    private static func request(_ kind: Kind, key: Int) -> [UInt8] {
        switch kind {
        case .http: Array("GET /v1/users/\(key)/token HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n".utf8)
        case .redis: command("GET", "\(key)")
        case .agent(let account):
            Array(#"{"request":"access_token","account":"\#(account)","min_valid_period":0}"#.utf8)
        }
    }

    private static func command(_ parts: String...) -> [UInt8] {
        Array("*\(parts.count)\r\n".utf8) + parts.flatMap { Array("$\($0.utf8.count)\r\n\($0)\r\n".utf8) }
    }

    /// Puts what the HTTP server answers into Redis, key by key, so that both hand out the same bytes.
    static func copy(from http: String, to redis: String, keys: Int) throws {
        let source = try Connection(to: http)
        let target = try Connection(to: redis)
        defer {
            source.close()
            target.close()
        }
        for key in 1...keys {
            let value = try reply(.http, to: request(.http, key: key), on: source)
            try target.send(command("SET", "\(key)", String(decoding: value, as: UTF8.self)))
            guard target.receive() == Array("+OK\r\n".utf8) else { throw LoadError("Redis refused a SET") }
        }
    }

    private static func reply(_ kind: Kind, to request: [UInt8], on connection: Connection) throws -> [UInt8] {
        try connection.send(request)
        var bytes: [UInt8] = []
        while true {
            let chunk = connection.receive()
            bytes += chunk
            if chunk.isEmpty {
                guard kind.hangsUp, isToken(bytes) else { throw LoadError("the server hung up without a token") }
                return bytes
            }
            if let length = length(kind, of: bytes), bytes.count >= length { return bytes }
        }
    }

    private static func isToken(_ reply: [UInt8]) -> Bool {
        String(decoding: reply, as: UTF8.self).contains(#""access_token":"#)
    }

    /// The length of a whole reply, once its head is there.
    private static func length(_ kind: Kind, of bytes: [UInt8]) -> Int? {
        let text = String(decoding: bytes, as: UTF8.self)
        switch kind {
        case .http:
            guard let head = text.firstRange(of: "\r\n\r\n"), let field = text.firstRange(of: "Content-Length: ") else {
                return nil
            }
            let number = Int(text[field.upperBound...].prefix { $0.isNumber })
            return number.map { $0 + text[..<head.upperBound].utf8.count }
        case .redis:
            guard let line = text.firstRange(of: "\r\n") else { return nil }
            return Int(text[..<line.lowerBound].dropFirst()).map { $0 + text[..<line.upperBound].utf8.count + 2 }
        case .agent:
            return nil
        }
    }
}

/// Why there is no measurement.
struct LoadError: Error, CustomStringConvertible {
    /// What happened.
    let description: String

    /// Takes what happened in words.
    init(_ description: String) {
        self.description = description
    }
}

/// A blocking connection, and the descriptor of one under load.
struct Connection {
    /// The connected socket.
    let descriptor: Int32

    /// Connects to a Unix stream socket.
    init(to path: String) throws {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let capacity = MemoryLayout.size(ofValue: address.sun_path)
        guard path.utf8.count < capacity else { throw LoadError("the path \(path) is too long") }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        self.descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard result == 0 else { throw LoadError("cannot connect to \(path): \(String(cString: strerror(errno)))") }
    }

    /// Sends all of it.
    func send(_ bytes: [UInt8]) throws {
        guard write(descriptor, bytes, bytes.count) == bytes.count else { throw LoadError("a request was not taken") }
    }

    /// What has arrived, at most 64 KiB; empty when the other end hung up.
    func receive() -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 65_536) { buffer, count in
            count = max(read(descriptor, buffer.baseAddress, buffer.count), 0)
        }
    }

    /// The clocks that count the processor time of whoever is at the other end, and of its children: oidc-agent is two.
    func processorClocksOfPeer() throws -> [clockid_t] {
        // struct ucred of unix(7): process, user, group.
        var credentials: (pid_t, uid_t, gid_t) = (0, 0, 0)
        var length = socklen_t(MemoryLayout.size(ofValue: credentials))
        guard getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &length) == 0 else {
            throw LoadError("the server's process is not known")
        }
        return try ([credentials.0] + children(of: credentials.0)).map { process in
            var clock = clockid_t()
            guard clock_getcpuclockid(process, &clock) == 0 else {
                throw LoadError("the server's processor time cannot be read")
            }
            return clock
        }
    }

    /// The children of a process's main thread (proc(5)).
    private func children(of process: pid_t) -> [pid_t] {
        guard let file = fopen("/proc/\(process)/task/\(process)/children", "r") else { return [] }
        defer { fclose(file) }
        let text = [UInt8](unsafeUninitializedCapacity: 4096) { $1 = fread($0.baseAddress, 1, $0.count, file) }
        return String(decoding: text, as: UTF8.self).split(separator: " ").compactMap { pid_t($0) }
    }

    /// Ends it.
    func close() {
        Glibc.close(descriptor)
    }
}

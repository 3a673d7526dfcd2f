// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Dispatch
import Glibc

@testable import TokenSimulator

/// A plain TCP connection to a simulator, so that a test sees every byte and how the connection ended. No wait is longer
/// than a minute.
struct RawConnection: Sendable {
    /// How a connection stands after all was read.
    enum Ending: Sendable {
        /// It ended in good order.
        case closed
        /// It was reset.
        case reset
        /// A minute went by without a byte.
        case silent
    }

    /// What came, and how it ended.
    struct Received: Sendable {
        let bytes: [UInt8]
        let ending: Ending

        /// The bytes as text; what is no UTF-8 shows as replacement characters.
        var text: String { String(decoding: bytes, as: UTF8.self) }

        /// The lines before the empty one, with that one.
        var head: String { String(text[..<(text.firstRange(of: "\r\n\r\n")?.upperBound ?? text.endIndex)]) }

        /// What follows the head.
        var body: [UInt8] { Array(bytes.dropFirst(head.utf8.count)) }

        /// The value of a header field.
        func field(_ name: String) -> String? {
            head.split(separator: "\r\n").first { $0.lowercased().hasPrefix(name.lowercased() + ": ") }
                .map { String($0.dropFirst(name.count + 2)) }
        }
    }

    struct Failure: Error {
        let number: CInt
    }

    private let descriptor: CInt

    /// Connects; throws the error number.
    init(port: Int) throws(Failure) {
        descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        var minute = timeval(tv_sec: 60, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &minute, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else {
            let number = errno
            Glibc.close(descriptor)
            throw Failure(number: number)
        }
    }

    /// Sends a token request, after whose answer the connection is to end.
    func askToken(_ grant: String) {
        let body =
            #"{"grant_type":"refresh_token","refresh_token":"\#(grant)","client_secret":"\#(Caller.secret)"}"#
        let head = [
            "POST /oauth/token HTTP/1.1", "Host: 127.0.0.1", "User-Agent: test/1.0", "Content-Type: application/json",
            "Content-Length: \(body.utf8.count)", "Connection: close",
        ]
        send(head.joined(separator: "\r\n") + "\r\n\r\n" + body)
    }

    /// Sends text.
    func send(_ text: String) {
        let bytes = Array(text.utf8)
        _ = Glibc.send(descriptor, bytes, bytes.count, CInt(MSG_NOSIGNAL))
    }

    /// Whether a byte waits to be read, or the end does.
    var hasSomething: Bool {
        var byte: UInt8 = 0
        return recv(descriptor, &byte, 1, CInt(MSG_DONTWAIT | MSG_PEEK)) >= 0 || errno != EAGAIN
    }

    /// Reads until the connection ends, and closes it.
    func receive() async -> Received {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(returning: receiveBlocking()) }
        }
    }

    /// Ends the connection.
    func close() {
        Glibc.close(descriptor)
    }

    private func receiveBlocking() -> Received {
        defer { close() }
        var received: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count > 0 {
                received += buffer[..<count]
            } else if count == 0 {
                return Received(bytes: received, ending: .closed)
            } else if errno != EINTR {
                return Received(bytes: received, ending: errno == ECONNRESET ? .reset : .silent)
            }
        }
    }
}

extension Caller {
    /// Refreshes over a connection of its own, and gives all that came back.
    func rawRefresh(_ grant: String) async throws -> RawConnection.Received {
        let connection = try RawConnection(port: simulator.port)
        connection.askToken(grant)
        return await connection.receive()
    }

    /// Sets a fault over the control route.
    func order(_ fault: String) async throws {
        let reply = try await control("POST", "faults", fault)
        guard reply.status == 204 else { throw SimulatorFailure("\(fault): \(reply.text)") }
    }

    /// A text with access tokens of the simulator as {access}, refresh tokens as {refresh}, and what they replace.
    func masked(_ text: String) -> (text: String, tokens: [String]) {
        var tokens: [String] = []
        let pieces = text.split(separator: "\"", omittingEmptySubsequences: false).map { piece in
            let word = String(piece.prefix { $0 != "\\" })
            let name: String? =
                simulator.user(ofLiveToken: word) != nil
                ? "{access}" : simulator.isGood(refreshToken: word) ? "{refresh}" : nil
            guard let name else { return String(piece) }
            tokens.append(word)
            return name + piece.dropFirst(word.count)
        }
        return (pieces.joined(separator: "\""), tokens)
    }
}

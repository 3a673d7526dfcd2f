// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import CLinux
import Foundation

/// A TCP port of 127.0.0.1 at which somebody listens, who never answers, or answers the first caller.
final class ListeningPort {
    struct Failure: Error {}

    let port: Int
    private let descriptor: Int32

    init() throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafeMutablePointer(to: &name) { [descriptor] pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && listen(descriptor, 4) == 0
                    && getsockname(descriptor, $0, &length) == 0
            }
        }
        port = Int(UInt16(bigEndian: name.sin_port))
        guard status else { throw Failure() }
    }

    /// Says that to the first caller, whatever he asks.
    convenience init(answering text: String) throws {
        try self.init()
        let (descriptor, bytes) = (descriptor, Array(text.utf8))
        Thread.detachNewThread {
            let caller = accept(descriptor, nil, nil)
            var request = [UInt8](repeating: 0, count: 4096)
            // What is not read would have the kernel throw away what was sent.
            _ = recv(caller, &request, request.count, 0)
            // A caller who has heard enough leaves, which ends it.
            _ = send(caller, bytes, bytes.count, Int32(MSG_NOSIGNAL))
            close(caller)
        }
    }

    func end() {
        close(descriptor)
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import NIOSSL
import Synchronization

/// The server's side of TLS, with each certificate that it may have to show; made when it is first shown.
final class SimulatorTLS: Sendable {
    private let certificates: SimulatorCertificates
    private let contexts = Mutex<[OddCertificate?: NIOSSLContext]>([:])

    /// Makes the one that is good at once.
    init(_ certificates: SimulatorCertificates) throws {
        self.certificates = certificates
        _ = try context(nil)
    }

    /// What a connection is served with.
    func context(_ oddity: OddCertificate?) throws -> NIOSSLContext {
        try contexts.withLock { contexts in
            if let context = contexts[oddity] { return context }
            let context = try NIOSSLContext(configuration: try certificates.serverConfiguration(oddity))
            contexts[oddity] = context
            return context
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import NIOHTTP1
import SocketAPI

extension Dispatch {
    /// What is to be done for somebody whom nobody knows: the metrics, if he calls this machine by its own name.
    ///
    /// No field lets a page of another origin read the answer (CORS).
    init(_ target: Target, _ head: HTTPRequestHead, calling names: Set<String>, service: SocketService) {
        if let refusal = Self.stranger(head, names) ?? Self.fault(head, target.resource) {
            self = .reply(refusal)
        } else if target.resource == .metrics {
            self = Self.metrics(service)
        } else {
            self = .reply(.problem(Problem(.notFound, detail: "Nothing but /metrics is served here.")))
        }
    }

    /// What a request gets that calls this address by a name which is not its own.
    private static func stranger(_ head: HTTPRequestHead, _ names: Set<String>) -> Reply? {
        // White space around a value is no part of it (RFC 9110 section 5.5).
        let called = head.headers["host"].map { RequestFields.trimmed($0.lowercased()[...]) }
        guard !called.allSatisfy({ names.contains(String($0)) }) else { return nil }
        let known = names.sorted().joined(separator: " or ")
        return .problem(Problem(.forbidden, detail: "The Host field must be \(known)."))
    }
}

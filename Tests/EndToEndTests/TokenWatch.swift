// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import Synchronization
import TokenSimulator

/// A caller who asks for every account's token again and again, without waiting, while a test does something else, and tries
/// each token that he gets.
final class TokenWatch: Sendable {
    /// What he saw.
    struct Findings: Sendable {
        /// How often he asked for all.
        fileprivate(set) var looks = 0
        /// Whatever was no token.
        fileprivate(set) var refusals: [String] = []
        /// Tokens that were handed out and did not work.
        fileprivate(set) var dead: Set<String> = []
        private let beganAt = ContinuousClock.now

        fileprivate mutating func note(_ replies: [SocketProbe.Reply], _ users: [Int], works: (String) -> Bool) {
            looks += 1
            for (user, reply) in zip(users, replies) {
                guard reply.status == 200, let token: String = reply.member("access_token") else {
                    refusals.append(
                        "after \(ContinuousClock.now - beganAt), user \(user): \(reply.status) \(reply.body)"
                    )
                    continue
                }
                if !works(token) { dead.insert(token) }
            }
        }
    }

    private final class Shared: Sendable {
        let findings = Mutex(Findings())
        let isOver = Atomic(false)
    }

    private let shared = Shared()
    private let ended = DispatchGroup()

    /// Begins to ask that installation's daemon for the accounts of those users.
    init(_ users: [Int], at installation: Installation) {
        let (shared, ended, socket, simulator) = (shared, ended, installation.socket, installation.simulator)
        ended.enter()
        Thread.detachNewThread {
            while !shared.isOver.load(ordering: .relaxed) {
                do {
                    var probe = try SocketProbe(at: socket)
                    let replies = try probe.get(users.map { "/v1/users/\($0)/token?min_ttl=0&max_wait=0" })
                    shared.findings.withLock { $0.note(replies, users) { simulator.user(ofLiveToken: $0) != nil } }
                } catch {
                    shared.findings.withLock { $0.refusals.append("\(error)") }
                }
                Thread.sleep(forTimeInterval: 0.1)
            }
            ended.leave()
        }
    }

    deinit {
        shared.isOver.store(true, ordering: .relaxed)
    }

    /// What he has seen so far.
    var findings: Findings { shared.findings.withLock { $0 } }

    /// Ends it, and says what he saw.
    func end() async throws -> Findings {
        shared.isOver.store(true, ordering: .relaxed)
        try await onThread { [ended] in ended.wait() }
        return findings
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import Synchronization
import TokenSimulator

/// A caller who follows `/v1/events`, and asks for the account's token whenever he is told that there is another one; and one
/// beside him who follows nothing and asks all the time. Both try what they get.
final class EventSubscriber: Sendable {
    /// A token that somebody was given.
    struct Given: Sendable {
        /// When he asked for it.
        let askedAt: ContinuousClock.Instant
        /// The validator that came with it.
        let etag: String
        /// Whether the provider took it when it came.
        let works: Bool
    }

    private struct Record {
        var told: [Given] = []
        var polled: [Given] = []
        var trouble: [String] = []
        var isSubscribed = false
    }

    private final class Shared: Sendable {
        let record = Mutex(Record())
        let isOver = Atomic(false)
    }

    private let shared = Shared()
    private let polling = DispatchGroup()

    /// Begins to follow the daemon at a socket, on behalf of one user.
    init(of user: Int, at socket: String, _ simulator: TokenSimulator) {
        let (shared, polling) = (shared, polling)
        // What the simulator says of a token says its route as well: AccountsRouteTests.
        let ask: @Sendable () throws -> Given = {
            let askedAt = ContinuousClock.now
            let reply = try SocketProbe.get("/v1/users/\(user)/token?min_ttl=0&max_wait=0", at: socket)
            guard reply.status == 200, let token: String = reply.member("access_token"), let etag = reply.etag else {
                throw Overdue(description: "\(reply.status) \(reply.body)")
            }
            return Given(askedAt: askedAt, etag: etag, works: simulator.user(ofLiveToken: token) == "\(user)")
        }
        Thread.detachNewThread {
            do {
                var probe = try SocketProbe(at: socket)
                // To HTTP/1.0 the stream comes as it is, without chunks.
                try probe.eachLine(answering: "GET /v1/events HTTP/1.0\r\nHost: localhost\r\n\r\n") { line in
                    if line.hasPrefix("retry: ") { shared.record.withLock { $0.isSubscribed = true } }
                    guard line == "event: token.refreshed" else { return }
                    let given = try ask()
                    shared.record.withLock { $0.told.append(given) }
                }
            } catch {
                shared.record.withLock { $0.trouble.append("\(error)") }
            }
        }
        polling.enter()
        Thread.detachNewThread {
            while !shared.isOver.load(ordering: .relaxed) {
                do {
                    let given = try ask()
                    shared.record.withLock { $0.polled.append(given) }
                } catch {
                    shared.record.withLock { $0.trouble.append("\(error)") }
                }
                Thread.sleep(forTimeInterval: 0.005)
            }
            polling.leave()
        }
    }

    deinit {
        shared.isOver.store(true, ordering: .relaxed)
    }

    /// Whether the stream has begun: what happens from now on is told.
    var isSubscribed: Bool { shared.record.withLock { $0.isSubscribed } }

    /// What he was given after each time that he was told of another token.
    var told: [Given] { shared.record.withLock { $0.told } }

    /// What went wrong so far.
    var trouble: [String] { shared.record.withLock { $0.trouble } }

    /// Ends the one who asks all the time, and gives what he was given.
    func endPolling() async throws -> [Given] {
        shared.isOver.store(true, ordering: .relaxed)
        try await onThread { [polling] in polling.wait() }
        return shared.record.withLock { $0.polled }
    }
}

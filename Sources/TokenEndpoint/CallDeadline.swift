// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import AsyncHTTPClient
import NIOCore

/// Ends a call that took too long, but not one whose reply could not be looked at yet.
///
/// When the process stood still (SIGSTOP, a frozen cgroup, a starved machine) and goes on after the deadline, the reply may
/// lie in the socket's buffer, read by nobody so far. AsyncHTTPClient's own deadline would throw it away, and with it a new
/// refresh token of which there is no other copy. So a deadline that is found late is followed by a short time in which what
/// has arrived is read. It is bounded by time in which the process runs: one that overslept again saw nothing of it, and has
/// another, a few times at most, so that a machine which is always late has an end of its calls too.
enum CallDeadline {
    /// A timer of a process that runs is not that late.
    static let tolerance: TimeAmount = .milliseconds(100)
    /// What has arrived is read in a fraction of that.
    static let respite: TimeAmount = .seconds(2)
    /// So often one is given; of a process that runs, the first would do.
    static let mostRespites = 5

    /// Ends the call at the deadline, unless it has ended by then.
    static func watch<Response>(
        _ call: HTTPClient.Task<Response>,
        until deadline: NIODeadline,
        respites: Int = mostRespites
    ) {
        let alarm = call.eventLoop.scheduleTask(deadline: deadline) {
            if let later = respite(after: deadline, foundAt: .now(), left: respites) {
                watch(call, until: later, respites: respites - 1)
            } else {
                call.fail(reason: HTTPClientError.deadlineExceeded)
            }
        }
        call.futureResult.whenComplete { _ in alarm.cancel() }
    }

    /// Until when to wait after all; nil if the deadline was found on time, or no respite is left.
    static func respite(after deadline: NIODeadline, foundAt now: NIODeadline, left: Int) -> NIODeadline? {
        left > 0 && now - deadline > tolerance ? now + respite : nil
    }
}

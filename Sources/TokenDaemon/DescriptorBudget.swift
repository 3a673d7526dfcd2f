// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Glibc
import SocketServer

/// How the descriptors that the process may have open are shared out, so that callers, however many they are, leave
/// enough for the database, the endpoint and files.
///
/// Set aside are 48 for what is always needed (a daemon at rest has about 30 open; the rest is for the resolver, for
/// certificates and for connections that are replaced while the old ones close), one for each call in flight, and what
/// other listeners may have open (`metrics.listen`, `web.listen`), where anybody on this machine connects. With a limit too low for all
/// of it, calls and callers share what is above the rest. Of 1024: 48, 64, and 912 for callers; of 64: 48, 8 and 8.
struct DescriptorBudget: Equatable {
    /// What a daemon has open without any call or caller, with room to spare.
    private static let alwaysOpen = 48
    /// What calls and callers must have at least: with less, the first burst takes what the database or the runtime itself
    /// opens in between, and Dispatch ends the process when it cannot read /proc.
    private static let fewest = 8

    /// Descriptors that the process may have open.
    let limit: Int
    /// Descriptors that callers may not have.
    let setAside: Int
    /// Those of them that other listeners than the socket may have open.
    let listeners: Int
    /// Calls that may be in flight: as many as were asked for, or as there are descriptors for.
    let calls: Int
    /// What callers may take: the usual, or as much of it as there are descriptors for.
    let limits: SocketLimits

    /// Shares out `limit` descriptors, so many calls being in flight at most, and so many being open at other listeners.
    init(limit: Int, calls: Int, listeners: Int = 0, usual: SocketLimits = SocketLimits()) {
        let free = max(limit - Self.alwaysOpen - listeners, 2)
        let forCalls = min(calls, free / 2)
        var limits = usual
        limits.connections = min(usual.connections, free - forCalls)
        // One caller's share of all stays what it is.
        let share = limits.connections * usual.connectionsPerUser / usual.connections
        limits.connectionsPerUser = max(share, 1)
        self.limit = limit
        self.setAside = Self.alwaysOpen + listeners + forCalls
        self.listeners = listeners
        self.calls = forCalls
        self.limits = limits
    }

    /// The fewest descriptors with which a daemon works.
    static func least(listeners: Int) -> Int { alwaysOpen + listeners + fewest }

    /// Descriptors that a daemon needs for so many calls, for other listeners and for as many callers as usual.
    static func needed(forCalls calls: Int, listeners: Int = 0, usual: SocketLimits = SocketLimits()) -> Int {
        alwaysOpen + listeners + calls + usual.connections
    }

    /// Of another number of calls, those for which there are descriptors within `limit`, with as many callers as are let in
    /// already; at least one.
    func calls(of wanted: Int, within limit: Int) -> Int {
        max(min(wanted, wanted - needed(forCalls: wanted) + limit), 1)
    }

    /// Descriptors that are needed for another number of calls, with as many callers as are let in already.
    func needed(forCalls calls: Int) -> Int {
        Self.needed(forCalls: calls, listeners: listeners, usual: limits)
    }

    /// Whether fewer callers than usual are let in.
    func isTight(against usual: SocketLimits = SocketLimits()) -> Bool {
        limits.connections < usual.connections
    }
}

/// How many descriptors the process may have open (`RLIMIT_NOFILE`, getrlimit(2)).
enum DescriptorLimit {
    /// Raises the limit as far as is needed and this process may; gives what it is then.
    static func raise(to needed: Int) -> Int {
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        var limit = rlimit()
        // It fails for no resource that the kernel knows; 1024 is what the kernel starts with.
        guard getrlimit(resource, &limit) == 0 else { return 1024 }
        if limit.rlim_cur < needed {
            var raised = limit
            raised.rlim_cur = min(rlim_t(needed), limit.rlim_max)
            if setrlimit(resource, &raised) == 0 { limit = raised }
        }
        return Int(clamping: limit.rlim_cur)
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import CLinux
import Glibc

/// Keeps what is in this process's memory, tokens and secrets, out of everybody's reach but root's.
package enum MemoryPrivacy {
    /// Signals by which a process ends that has a mistake in it. Swift's runtime may have taken them, to print where it was,
    /// and with it what stood in registers and memory there.
    private static let fatal = [SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV]

    /// From here on this process leaves no core file, prints no memory when it crashes, and cannot be read or traced by
    /// others of its user: the kernel gives its folder in /proc to root (PR_SET_DUMPABLE in prctl(2)). What it reads of itself
    /// there it still may read, and who connects to it, or is told of its start by it, sees no difference.
    ///
    /// It is done before anything secret is read, and for every verb.
    package static func begin() {
        _ = tastytokend_set_dumpable(0)
        // In a sandbox that forbids it, the limit is the service manager's to set, and with the line above no core is made.
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        _ = setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
        for number in fatal where !isIgnored(number) { signal(number, SIG_DFL) }
    }

    /// Whoever started this process may have had it ignore a signal, as shells do with SIGQUIT for what runs beside them.
    private static func isIgnored(_ number: Int32) -> Bool {
        var action = sigaction()
        guard sigaction(number, nil, &action) == 0 else { return false }
        return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
            == unsafeBitCast(SIG_IGN, to: Int.self)
    }

    /// Whether the kernel keeps others out.
    static var isKept: Bool { tastytokend_is_dumpable() == 0 }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// Reads what the service manager says of its watchdog (sd_watchdog_enabled(3)).
package enum WatchdogTimeout {
    /// How long the manager waits before it takes the process for stuck.
    ///
    /// - Parameters:
    ///   - environment: holds `WATCHDOG_USEC`, and `WATCHDOG_PID` where the variables are meant for one process only.
    ///   - processID: our own.
    /// - Returns: the time, or nil where the manager does not watch this process.
    /// - Throws: if a variable is not a number.
    package static func read(
        from environment: [String: String],
        processID: Int32
    ) throws(HostFailure) -> Duration? {
        guard let text = environment["WATCHDOG_USEC"] else { return nil }
        if let owner = environment["WATCHDOG_PID"] {
            guard let pid = Int32(owner) else { throw HostFailure("WATCHDOG_PID is not a process id") }
            guard pid == processID else { return nil }
        }
        guard let microseconds = Int64(text), microseconds > 0 else {
            throw HostFailure("WATCHDOG_USEC is not a number of microseconds")
        }
        return .microseconds(microseconds)
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Glibc
import HostSystemd
import Logging
import SocketAPI
import TokenCipher
import TokenCore

/// `tastytokend run` from the command line to the exit status: reads the configuration, sets up the log, runs the daemon.
package struct DaemonStart: Sendable {
    private let invocation: Invocation

    /// Takes what the process was started with.
    package init(_ invocation: Invocation) {
        self.invocation = invocation
    }

    /// Runs the daemon to its end.
    ///
    /// - Throws: why it could not start or go on, with the exit status.
    package func run() async throws(DaemonFailure) {
        // From before the configuration is read, so that no change to it after that goes unnoticed.
        let hangups = HangupSignals()
        let (daemon, logger) = try daemon(hangups)
        do {
            try await daemon.run()
        } catch {
            for line in error.lines {
                let metadata: Logger.Metadata = [
                    "error.message": "\(line)", "exit.status": .stringConvertible(error.exitStatus),
                ]
                logger.critical("daemon failed", metadata: metadata)
            }
            throw error
        }
        logger.notice("daemon ended")
    }

    /// Puts the daemon together. What was read is gone when this returns, but for what the daemon keeps of it: keys that a
    /// reload replaces would stay in memory with it.
    private func daemon(_ hangups: HangupSignals) throws(DaemonFailure) -> (Daemon, Logger) {
        let loaded = try invocation.configuration()
        let level = LogThreshold(loaded.configuration.log.level)
        let environment = invocation.environment
        let now: @Sendable () -> WallTime = { [invocation] in invocation.clock().wall }
        LoggingSystem.bootstrap(
            LogOutput.factory(loaded.configuration.log, level: level, environment: environment, now: now)
        )
        let logger = Logger(label: "tastytokend")
        tell(loaded, logger)
        let daemon = try Daemon(
            loaded,
            invocation: invocation,
            hangups: hangups,
            version: ProductVersion.current,
            level: level,
            logger: logger
        )
        return (daemon, logger)
    }

    private func tell(_ loaded: LoadedConfiguration, _ logger: Logger) {
        loaded.tellWarnings(logger)
        var metadata: Logger.Metadata = ["version": "\(ProductVersion.current)"]
        metadata["configuration.file"] = "\(loaded.file ?? "none")"
        for setting in loaded.effectiveNonSecretValues { metadata[setting.key] = setting.metadata }
        logger.notice("daemon starts", metadata: metadata)
        if !LockedBytes.canLock {
            logger.warning(
                "keys may be swapped out: the kernel locks no more memory; raise LimitMEMLOCK=, or encrypt the swap",
                metadata: ["event": "memory.unlocked"]
            )
        }
        if !MemoryPrivacy.isKept { logger.warning("other processes of this user may read this one's memory") }
    }
}

extension EffectiveSetting {
    /// The value as a record has it.
    fileprivate var metadata: Logger.MetadataValue {
        guard let number else { return "\(value)" }
        return Int(exactly: number).map { .stringConvertible($0) } ?? .stringConvertible(number)
    }
}

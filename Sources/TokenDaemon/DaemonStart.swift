// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Glibc
import Logging
import SocketAPI
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
        let loaded = try invocation.configuration()
        let environment = invocation.environment
        let now: @Sendable () -> WallTime = { [invocation] in invocation.clock().wall }
        LoggingSystem.bootstrap(LogOutput.factory(loaded.configuration.log, environment: environment, now: now))
        let logger = Logger(label: "tastytokend")
        tell(loaded, logger)
        let daemon = try Daemon(
            loaded.configuration,
            environment: environment,
            version: ProductVersion.current,
            clock: invocation.clock,
            logger: logger
        )
        do {
            try await daemon.run()
        } catch {
            let metadata: Logger.Metadata = ["error.message": "\(error)", "exit.status": "\(error.exitStatus)"]
            logger.critical("daemon failed", metadata: metadata)
            throw error
        }
        logger.notice("daemon ended")
    }

    private func tell(_ loaded: LoadedConfiguration, _ logger: Logger) {
        for warning in loaded.warnings {
            logger.warning("configuration has a flaw", metadata: ["configuration.finding": "\(warning)"])
        }
        var metadata: Logger.Metadata = ["version": "\(ProductVersion.current)"]
        for setting in loaded.effectiveNonSecretValues { metadata["\(setting.key)"] = "\(setting.value)" }
        logger.notice("daemon starts", metadata: metadata)
    }
}

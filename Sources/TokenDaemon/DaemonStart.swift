// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Glibc
import Logging
import SocketAPI
package import TokenCore

/// `tastytokend run` from the command line to the exit status: reads the configuration, sets up the log, runs the daemon.
package struct DaemonStart: Sendable {
    private let configurationPath: String?
    private let environment: [String: String]
    private let clock: ClockReading

    /// Takes what the process was given.
    ///
    /// - Parameters:
    ///   - configurationPath: `--config`; nil for the default file, which need not exist.
    ///   - environment: the process's.
    ///   - clock: both clocks.
    package init(
        configurationPath: String?,
        environment: [String: String],
        clock: @escaping ClockReading = SystemClock.reading
    ) {
        self.configurationPath = configurationPath
        self.environment = environment
        self.clock = clock
    }

    /// Runs the daemon to its end.
    ///
    /// - Throws: why it could not start or go on, with the exit status.
    package func run() async throws(DaemonFailure) {
        let loaded: LoadedConfiguration
        do {
            loaded = try Configuration.load(path: configurationPath, environment: environment)
        } catch {
            throw .configuration("\(error)")
        }
        let now: @Sendable () -> WallTime = { [clock] in clock().wall }
        LoggingSystem.bootstrap(LogOutput.factory(loaded.configuration.log, environment: environment, now: now))
        let logger = Logger(label: "tastytokend")
        tell(loaded, logger)
        let daemon = try Daemon(
            loaded.configuration,
            environment: environment,
            version: ProductVersion.current,
            clock: clock,
            logger: logger
        )
        do {
            try await daemon.run()
        } catch {
            let metadata: Logger.Metadata = ["error.message": "\(error)", "exit.status": "\(error.exitStatus)"]
            logger.critical("the daemon ends", metadata: metadata)
            throw error
        }
        logger.notice("the daemon has ended")
    }

    private func tell(_ loaded: LoadedConfiguration, _ logger: Logger) {
        for warning in loaded.warnings {
            logger.warning("configuration", metadata: ["configuration.finding": "\(warning)"])
        }
        var metadata: Logger.Metadata = ["version": "\(ProductVersion.current)"]
        for setting in loaded.effectiveNonSecretValues { metadata["\(setting.key)"] = "\(setting.value)" }
        logger.notice("starting", metadata: metadata)
    }
}

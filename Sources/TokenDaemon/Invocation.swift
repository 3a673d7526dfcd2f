// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import TokenCore

/// What a process of ours was started with, whichever verb it carries out.
package struct Invocation: Sendable {
    /// The process's environment.
    let environment: [String: String]
    /// Both clocks.
    let clock: ClockReading
    private let configurationPath: String?

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

    /// The same with another environment.
    func with(_ environment: [String: String]) -> Invocation {
        Invocation(configurationPath: configurationPath, environment: environment, clock: clock)
    }

    /// Reads the configuration without holding up the caller for longer than the limit.
    func configuration(
        within limit: Duration,
        on call: BlockingCall
    ) async -> Result<LoadedConfiguration, DaemonFailure> {
        let result = await call.run(within: limit) { () -> Result<LoadedConfiguration, DaemonFailure> in
            do throws(DaemonFailure) {
                return .success(try configuration())
            } catch {
                return .failure(error)
            }
        }
        return result
            ?? .failure(
                .temporary(
                    "the configuration could not be read within \(limit): look for a file system or a name service that hangs"
                )
            )
    }

    /// Reads the configuration.
    ///
    /// - Parameter needsClient: whether it must name an OAuth client.
    /// - Returns: what it says, and what it says that has no effect.
    /// - Throws: all mistakes in it, with the exit status.
    func configuration(needsClient: Bool = true) throws(DaemonFailure) -> LoadedConfiguration {
        do {
            return try FreedMemory.overwritten { () throws(ConfigurationError) in
                try Configuration.load(
                    path: configurationPath,
                    environment: environment,
                    needsClient: needsClient
                )
            }
        } catch {
            throw .configuration("\(error)")
        }
    }
}

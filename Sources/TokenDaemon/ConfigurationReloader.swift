// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Logging

/// Reads the configuration again while the daemon runs, and puts to work what can change then (product.md, Configuration).
///
/// A configuration with a mistake changes nothing. What is wrong, and what would need a restart, is said in the log.
actor ConfigurationReloader {
    private let started: [EffectiveSetting]
    private var current: [EffectiveSetting]
    private let read: @Sendable () async -> Result<LoadedConfiguration, DaemonFailure>
    private let objection: @Sendable (Configuration, ConfigurationChange) -> DaemonFailure?
    private let apply: @Sendable (Configuration, ConfigurationChange) async -> Void
    private let logger: Logger

    /// Prepares reloads.
    ///
    /// - Parameters:
    ///   - started: what the daemon runs with.
    ///   - logger: told what became of each reload.
    ///   - read: reads the configuration; ends by itself, whatever it reads from.
    ///   - objection: why what was read, without a mistake in itself, must not follow upon what is in force; nil if it may.
    ///   - apply: puts to work what of a configuration can change at run time; is told what did, for what is dear to change.
    init(
        _ started: LoadedConfiguration,
        logger: Logger,
        read: @escaping @Sendable () async -> Result<LoadedConfiguration, DaemonFailure>,
        objection: @escaping @Sendable (Configuration, ConfigurationChange) -> DaemonFailure? = { _, _ in nil },
        apply: @escaping @Sendable (Configuration, ConfigurationChange) async -> Void
    ) {
        // No more of it: keys that another reload replaces are not to be kept here.
        self.started = started.effectiveNonSecretValues
        self.current = started.effectiveNonSecretValues
        self.logger = logger
        self.read = read
        self.objection = objection
        self.apply = apply
    }

    /// Reads and applies, one call at a time: whoever calls waits for its end before calling again. A task that is cancelled
    /// meanwhile changes nothing more.
    ///
    /// - Returns: whether what was read is in force; nil if the task was cancelled.
    @discardableResult
    func reload() async -> Bool? {
        let outcome = await read()
        guard !Task.isCancelled else { return nil }
        switch outcome {
        case .success(let new):
            let change = ConfigurationChange(from: started, current, to: new.effectiveNonSecretValues)
            if let failure = objection(new.configuration, change) {
                refuse(failure)
                return false
            }
            await take(new, change)
            return true
        case .failure(let failure):
            refuse(failure)
            return false
        }
    }

    private func take(_ new: LoadedConfiguration, _ change: ConfigurationChange) async {
        new.tellWarnings(logger)
        await apply(new.configuration, change)
        current = new.effectiveNonSecretValues
        let changed = change.live.isEmpty ? "nothing" : change.live.joined(separator: ", ")
        logger.notice("configuration reloaded", metadata: ["configuration.changed": "\(changed)"])
        guard !change.needingRestart.isEmpty else { return }
        let keys = change.needingRestart.joined(separator: ", ")
        logger.warning("settings changed that need a restart", metadata: ["configuration.changed": "\(keys)"])
    }

    private func refuse(_ failure: DaemonFailure) {
        for line in failure.lines {
            let metadata: Logger.Metadata = ["configuration.finding": "\(line)"]
            logger.error("configuration not reloaded, the one before stays in force", metadata: metadata)
        }
    }
}

extension LoadedConfiguration {
    /// Says what is no mistake but should be known.
    func tellWarnings(_ logger: Logger) {
        for warning in warnings {
            logger.warning("configuration has a flaw", metadata: ["configuration.finding": "\(warning)"])
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// Makes grants without a running simulator: any simulator with the same seed and client takes them.
package enum OfflineGrants {
    /// A refresh token for each user, in order. `randomSeed` of the configuration must differ from run to run, or the
    /// grants of two runs are the same.
    package static func make(
        for users: [String],
        _ configuration: SimulatorConfiguration,
        clock: @escaping SimulatorClock
    ) throws -> [String] {
        let service = try SimulatorService(configuration, clock: clock)
        return try users.map { try service.makeGrant(for: $0) }
    }
}

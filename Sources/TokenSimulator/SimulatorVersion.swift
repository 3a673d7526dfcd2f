// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// The version of the simulator, for `tastysim --version`.
package enum SimulatorVersion {
    /// The number.
    package static let current = "0.1.0"
}

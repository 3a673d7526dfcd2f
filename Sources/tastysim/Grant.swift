// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import ArgumentParser
import TokenSimulator

/// `tastysim grant`: refresh tokens without a running simulator.
struct Grant: ParsableCommand {
    /// The verb's words.
    static let configuration = CommandConfiguration(
        abstract: "Print a new refresh token for each user, a line each, in order."
    )

    /// What a simulator must have been started with as well.
    @OptionGroup var shared: SharedOptions

    /// Whose grants.
    @Argument(help: ArgumentHelp("The users, as their id columns have them.", valueName: "user"))
    var users: [String]

    /// Prints the tokens.
    func run() throws {
        for token in try OfflineGrants.make(for: users, shared.configuration(), clock: SimulatorInstant.systemNow) {
            print(token)
        }
    }
}

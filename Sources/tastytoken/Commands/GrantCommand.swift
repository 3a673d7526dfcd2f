// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import ArgumentParser

/// `tastytoken grant`: connects accounts, and disconnects them.
struct GrantCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "grant",
        abstract: "Connect a user's account with a grant, or forget its grant.",
        subcommands: [GrantAddCommand.self, GrantAuthorizeCommand.self, GrantRemoveCommand.self]
    )
}

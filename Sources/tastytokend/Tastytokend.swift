// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import ArgumentParser
import SocketAPI
import TokenDaemon

/// The daemon's command line. Without a verb it runs.
@main
struct Tastytokend: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tastytokend",
        abstract: "Keeps TastyTrade access tokens fresh and hands them to local programs.",
        version: ProductVersion.current,
        subcommands: [Run.self, Check.self, Migrate.self, Keygen.self, ResealCommand.self],
        defaultSubcommand: Run.self
    )

    /// Before anything is read that must stay secret.
    static func main() async {
        MemoryPrivacy.begin()
        await main(nil)
    }
}

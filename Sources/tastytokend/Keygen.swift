// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import ArgumentParser
import Foundation
import TokenDaemon

/// `tastytokend keygen`: a key for `encryption.mode: jwe`.
struct Keygen: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Add a key that seals tokens to a file of keys.",
        discussion: """
            The file is made if it is not there (mode 0600). The new key is the first of the JWK Set and seals what is \
            written from the daemon's next reload on; the others go on opening what they sealed, and must stay until \
            nothing is sealed with them any more. Keep a copy of the file apart from the database's: without it nothing \
            that is sealed can be read. The key itself is never printed.
            """
    )

    @Argument(help: "The file, as in encryption.jwe.keysFile.", completion: .file())
    var file = "/etc/tastytokend/token-keys.json"

    func run() throws {
        do {
            let id = try KeyFile(file).addKey()
            try StandardStream.output("added key \(id) to \(file)\n")
        } catch let failure as DaemonFailure {
            StandardStream.complain(failure.lastWords(environment: ProcessInfo.processInfo.environment))
            throw ExitCode(failure.exitStatus)
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import GrantStore
import HostSystemd
import SocketServer
import TokenCore
import TokenEndpoint

/// Why the daemon ends without having been asked to, with the exit status that the contract names for it
/// (product.md, Configuration; sysexits(3)).
package struct DaemonFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// The exit status.
    package let exitStatus: Int32
    /// What happened, to what, and what to do; a line for each mistake.
    package let description: String

    private init(_ exitStatus: Int32, _ description: String) {
        self.exitStatus = exitStatus
        self.description = description
    }

    /// What is wrong, a line for each.
    package var lines: [String] { description.split(whereSeparator: \.isNewline).map(String.init) }

    /// What a program says on standard error before it ends: a line for each mistake. Where that is the journal, they come there as
    /// errors (sd-daemon(3), level prefixes), and are found by `journalctl -p err`.
    package func lastWords(environment: [String: String]) -> String {
        let isJournal = JournalStream.isConnected(to: 2, environment: environment)
        return lines.map { "\(isJournal ? "<3>" : "")tastytokend: \($0)\n" }.joined()
    }

    /// The configuration is wrong: 78 (`EX_CONFIG`).
    package static func configuration(_ text: String) -> DaemonFailure { DaemonFailure(78, text) }

    /// Another daemon has the socket, or the database is away: 69 (`EX_UNAVAILABLE`).
    package static func unavailable(_ text: String) -> DaemonFailure { DaemonFailure(69, text) }

    /// The system refused something that should work: 71 (`EX_OSERR`).
    package static func system(_ text: String) -> DaemonFailure { DaemonFailure(71, text) }

    /// Another try may go well: 75 (`EX_TEMPFAIL`).
    package static func temporary(_ text: String) -> DaemonFailure { DaemonFailure(75, text) }

    init(_ failure: StoreFailure) {
        switch failure.kind {
        case .misconfigured: self = .configuration(failure.lines.joined(separator: "\n"))
        case .unavailable: self = .unavailable("\(failure)")
        case .timeout: self = .temporary("\(failure)")
        case .refused: self = .system("\(failure)")
        }
    }

    init(_ error: SocketServerError) {
        switch error {
        case .inUse: self = .unavailable("\(error)")
        case .pathTooLong, .notASocket, .noFolder, .unsuitableDescriptor: self = .configuration("\(error)")
        case .system, .alreadyStarted: self = .system("\(error)")
        }
    }
}

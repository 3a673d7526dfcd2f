// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Logging
import ReplyJournal
import TokenCore

/// Finds out which account a daemon died with, again and again, and has it left alone (hard case H29); what is known of that is told in
/// the log at the start. A daemon that cannot write it down works without.
struct AccountQuarantine: Sendable {
    /// Where it is written down who is in hand.
    let hands: any AccountsInHand
    private let ledger: HandLedger?

    /// Takes up what the process before left.
    ///
    /// - Parameters:
    ///   - folder: where the file is.
    ///   - logger: told of who is left alone, and of what is wrong with the file.
    init(in folder: String, _ logger: Logger) {
        do throws(HandFailure) {
            let ledger = try HandLedger(in: folder)
            self.ledger = ledger
            hands = ledger
            Self.tell(ledger.findings, logger)
        } catch {
            ledger = nil
            hands = NobodyInHand()
            logger.warning(
                "it is not written down which accounts are in hand, so that one that ends the daemon is not found out",
                metadata: ["reason": "\(error)", "event": "hands.unavailable"]
            )
        }
    }

    /// The folder where the file is: of those that outlive the process, the one in memory where the service manager made one. A
    /// file on a disk that stands still could hold up the thread that writes a word of it.
    ///
    /// - Parameters:
    ///   - environment: of the process.
    ///   - stateFolder: where else.
    /// - Returns: its path.
    static func folder(_ environment: [String: String], else stateFolder: String) -> String {
        environment["RUNTIME_DIRECTORY"]?.split(separator: ":").first.map(String.init) ?? stateFolder
    }

    /// The end is in order, whatever is in hand.
    func close() {
        ledger?.close()
    }

    private static func tell(_ findings: HandLedger.Findings, _ logger: Logger) {
        if let damage = findings.damage {
            logger.warning(
                "the file of accounts in hand is begun anew; what it knew of deaths is lost",
                metadata: ["reason": "\(damage)", "event": "hands.damaged"]
            )
        }
        for suspect in findings.suspected {
            var metadata = metadata(of: suspect)
            metadata["event"] = "account.suspected"
            logger.warning("the daemon before was cut off with this account in hand", metadata: metadata)
        }
        for suspect in findings.quarantined {
            var metadata = metadata(of: suspect)
            metadata["event"] = "account.quarantined"
            logger.error(
                "the daemon died with this account in hand again and again: it is left alone until its refresh token is another",
                metadata: metadata
            )
        }
    }

    private static func metadata(of suspect: HandLedger.Findings.Suspect) -> Logger.Metadata {
        [
            "user.id": "\(suspect.user)", "deaths": .stringConvertible(suspect.deaths),
            "while": "\(suspect.step)",
        ]
    }
}

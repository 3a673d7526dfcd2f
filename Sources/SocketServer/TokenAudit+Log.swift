// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Logging
import SocketAPI
import TokenCore

extension TokenAudit {
    /// Writes into the log: a record of hand-outs at level info, what was dropped as a warning.
    convenience init(_ settings: AuditSettings, logger: Logger) {
        self.init(settings) { record in
            switch record {
            case .take(let take): logger.info("token taken", metadata: take.metadata)
            case .dropped(let count):
                logger.warning(
                    "records of taken tokens dropped, more came than are written; log.auditSample has fewer made",
                    metadata: ["event": "audit.dropped", "audit.dropped": .stringConvertible(count)]
                )
            }
        }
    }
}

extension TokenTake {
    /// The record's fields.
    fileprivate var metadata: Logger.Metadata {
        [
            "event": "token.taken",
            "user.id": "\(user)",
            "caller.uid": .stringConvertible(caller),
            "caller.pid": .stringConvertible(process),
            "token.seconds_left": .stringConvertible(secondsLeft),
            "token.takes": .stringConvertible(count),
            "token.taken_at": "\(Timestamp.text(microseconds: lastAt.microseconds))",
        ]
    }
}

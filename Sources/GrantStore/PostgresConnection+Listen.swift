// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import CLibPQ

extension PostgresConnection {
    /// The payloads of notifications that have arrived, in their order; waits for none.
    ///
    /// - Throws: if the connection turns out to be lost.
    func takeNotifications() throws(StoreError) -> [String] {
        let wasLost = isStale()
        var payloads: [String] = []
        while let notification = PQnotifies(handle) {
            payloads.append(String(cString: notification.pointee.extra))
            PQfreemem(notification)
        }
        if wasLost { throw lost(during: Statement("listen", "")) }
        return payloads
    }

    /// What to wait at for notifications; another one after the connection was lost.
    var socket: CInt { PQsocket(handle) }
}

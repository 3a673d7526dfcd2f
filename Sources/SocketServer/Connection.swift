// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import NIOCore
import TokenCore

/// A connection from its admission to its end, whichever way it is on.
struct Connection: Hashable, Sendable {
    /// Tells connections apart; never used again.
    let number: UInt64
    /// Who is at its other end.
    let caller: Caller
}

/// A connection on its way to the general way, with all that belongs to it.
struct Handover: Sendable {
    /// Which one it is.
    let connection: Connection
    /// Its descriptor, watched by nobody. Whoever takes the connection closes it.
    let descriptor: Int32
    /// What the caller sent and nobody has looked at yet.
    var received = ByteBuffer()
    /// What the caller was answered and the kernel had no room for.
    var unsent = ByteBuffer()
}

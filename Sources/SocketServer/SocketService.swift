// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Logging
import TokenCore

/// What every connection works with.
struct SocketService: Sendable {
    /// The engine, as far as callers are concerned.
    let serving: any TokenServing
    /// Who connects accounts; nil where nobody does.
    let enrolling: (any Enrolling)?
    /// Who sends people to TastyTrade and takes them back; nil where nobody does.
    let authorizing: (any Authorizing)?
    /// The web pages; nil where there are none.
    let pages: (any PageLinking)?
    /// Who looks for what is wrong with accounts; nil where nobody does.
    var diagnosing: (any Diagnosing)?
    /// Both clocks.
    let clock: ClockReading
    /// Who may ask for what; replaced at run time.
    let access: AccessInForce
    /// What a connection may take.
    let limits: SocketLimits
    /// What the status tells of the daemon itself.
    let facts: ServiceFacts
    /// Where what callers cannot be told is said.
    let logger: Logger
    /// Where answers are counted.
    let metrics: SocketMetrics
    /// Told of every token that is handed out.
    let audit: TokenAudit
    /// Whether the short way is taken; off where metrics are served over TCP, and where both ways are compared.
    var usesShortWay: Bool
}

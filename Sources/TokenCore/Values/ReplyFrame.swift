// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// What the replies for all tokens of a client have in common, as a ``TokenRendering`` wrote it: one object for however
/// many tokens. What the bytes mean is the renderer's and the writer's affair.
package final class ReplyFrame: Sendable {
    /// What follows the token.
    package let afterToken: [UInt8]
    /// What follows the seconds that are left.
    package let afterSeconds: [UInt8]

    /// Keeps what a renderer wrote.
    package init(afterToken: [UInt8], afterSeconds: [UInt8]) {
        self.afterToken = afterToken
        self.afterSeconds = afterSeconds
    }
}

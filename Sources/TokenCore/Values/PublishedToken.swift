// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// A token as it is handed out: the whole reply, rendered once when the token was published (architecture.md, decision 7).
///
/// It is immutable and shared: the board, the waiters and every connection hold the same object. Only the seconds left
/// change between two hand-outs, and they have a place of fixed width in the reply.
package final class PublishedToken: Sendable {
    /// Whose token it is.
    package let user: UserID
    /// How long it lives.
    package let life: TokenLife
    /// The validator of the token, quotes included (product.md, GET token).
    package let etag: String
    /// The HTTP reply, head and body, complete but for the seconds left.
    package let reply: [UInt8]
    /// Where in ``reply`` the seconds left belong, right-aligned in spaces.
    package let expiresInRange: Range<Int>
    /// Where in ``reply`` the body begins.
    package let bodyOffset: Int
    /// Where in ``reply`` the bare token stands.
    package let tokenRange: Range<Int>

    /// Puts together what a ``TokenRendering`` made.
    package init(
        user: UserID,
        life: TokenLife,
        etag: String,
        reply: [UInt8],
        expiresInRange: Range<Int>,
        bodyOffset: Int,
        tokenRange: Range<Int>
    ) {
        self.user = user
        self.life = life
        self.etag = etag
        self.reply = reply
        self.expiresInRange = expiresInRange
        self.bodyOffset = bodyOffset
        self.tokenRange = tokenRange
    }
}

extension PublishedToken: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Whose it is and nothing more: the reply holds the token.
    package var description: String { "token of \(user), \(Secret.placeholder)" }

    /// As `description`.
    package var debugDescription: String { description }

    /// A mirror without children, so that reflection finds nothing.
    package var customMirror: Mirror { Mirror(self, children: []) }
}

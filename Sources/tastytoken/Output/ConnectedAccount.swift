// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import SocketAPI

/// What a reply remarks though it worked: sentences.
struct Notes: Decodable {
    private let notes: [String]

    /// Shows them on standard error.
    ///
    /// - Parameters:
    ///   - reply: the daemon's.
    ///   - user: whose account it is about; nil for nobody's.
    /// - Throws: that it did not work, and why.
    static func show(_ reply: HTTPReply, of user: String?) throws(Failure) {
        for note in try reply.decoded(Notes.self, of: user).notes { Console.warn(Failure.shown(note)) }
    }
}

/// An account that was connected, as the daemon tells it.
enum ConnectedAccount {
    /// Shows how the account stands, and on standard error what is worth knowing.
    ///
    /// - Parameters:
    ///   - reply: the daemon's.
    ///   - user: whose account it is.
    ///   - asJSON: whether the reply is shown as it came.
    /// - Throws: that the account was not connected, and why.
    static func show(_ reply: HTTPReply, of user: String, asJSON: Bool) throws(Failure) {
        let status = try reply.decoded(StatusReply.self, of: user)
        try Notes.show(reply, of: user)
        guard !asJSON else { return Console.print(RawJSON(reply.body[...]).line) }
        show(status)
    }

    /// Shows how an account stands.
    static func show(_ status: StatusReply) {
        let text = StatusText(status, inColour: Console.isColourful, at: Console.isTerminal ? WallClock.now : nil)
        Console.print(text.lines.joined(separator: "\n"))
    }
}

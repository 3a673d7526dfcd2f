// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// What is recorded of hand-outs of a token: everything but the token, of which nothing is here, nor anything made of it.
package struct TokenTake: Hashable, Sendable {
    /// The user whose token it was.
    package let user: UserID
    /// The uid of who took it.
    package let caller: UInt32
    /// The process that had connected, by the last of the hand-outs.
    package let process: Int32
    /// When the last of the hand-outs was.
    package let lastAt: WallTime
    /// What was left of the token's life at the last of the hand-outs, in whole seconds rounded down.
    package let secondsLeft: Int64
    /// How many hand-outs this stands for; the sum over all records is the number of hand-outs.
    package let count: Int

    /// Puts a record together.
    package init(user: UserID, caller: UInt32, process: Int32, lastAt: WallTime, secondsLeft: Int64, count: Int) {
        self.user = user
        self.caller = caller
        self.process = process
        self.lastAt = lastAt
        self.secondsLeft = secondsLeft
        self.count = count
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// What follows from one input of a machine. The parts are orthogonal: "re-arm and call" is no case of its own.
package struct Step: Hashable, Sendable {
    /// What becomes of the account's deadline.
    package enum Deadline: Hashable, Sendable {
        /// It stays as it is.
        case keep
        /// It is now this one.
        case arm(Moment)
        /// There is none.
        case disarm
    }

    /// What is to be done outside the machine.
    package enum Effect: Hashable, Sendable {
        /// Nothing.
        case none
        /// Put the account in line for a refresh. The engine answers with `begun`, `failed` or `rowChanged`.
        case enqueue
        /// Store the answer. The engine answers with `stored`, `fenced`, `superseded` or `storeFailed`.
        case store(TokenAnswer)
        /// Store the refresh token alone. The engine answers with `salvaged`, `salvageSuperseded` or `salvageFailed`.
        case salvage(Secret)
        /// Hand the answer out from now on.
        case publish(TokenAnswer)
        /// Hand out the token of the row that was the input from now on.
        case adopt
        /// Hand out no token any more.
        case withdraw
        /// Read the row again; the engine answers with `rowChanged`, or drops the account.
        case reread
    }

    /// What becomes of the account's deadline.
    package let deadline: Deadline
    /// What is to be done outside the machine.
    package let effect: Effect

    /// Puts the two parts together.
    package init(_ deadline: Deadline = .keep, _ effect: Effect = .none) {
        self.deadline = deadline
        self.effect = effect
    }

    /// Nothing to do. Where a machine returns it, a comment names the race that leads there.
    package static let nothing = Step()
}

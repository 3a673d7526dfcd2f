// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// Takes the fields of a row that come after those which a ``AccountReader`` looks at first.
typealias FieldsLeft = (inout PostgresRow) -> Void

/// Reads rows of accounts: each account is in hand from when its id is known until its row is read. Of one that is to be left alone
/// no more is looked at than its id and its refresh token's version (hard case H29).
struct AccountReader: Sendable {
    /// The fields that tell whose row it is: those of ``RowField/id`` and ``RowField/version``, which come first in each statement.
    static let head = 2

    private let hands: any AccountsInHand
    private let step: HandlingStep

    /// Reads for the sake of a step.
    init(_ hands: any AccountsInHand, _ step: HandlingStep) {
        (self.hands, self.step) = (hands, step)
    }

    /// Reads one row.
    ///
    /// - Parameters:
    ///   - row: has the first fields.
    ///   - fieldsLeft: takes the others.
    ///   - read: makes something of the whole row.
    ///   - leave: makes something of one that is left alone, which has the first fields only: of its version, and the reason.
    /// - Returns: what that was; nil for a row without an id that can be told, which belongs to nobody.
    func read<Value>(
        _ row: inout PostgresRow,
        _ fieldsLeft: FieldsLeft,
        _ read: (PostgresRow, UserID) -> Value?,
        leave: (UserID, LeftAlone) -> Value?
    ) -> Value? {
        guard let id = row.text(RowField.id) else { return nil }
        let (user, version) = (UserID(id), row.integer(RowField.version) ?? 0)
        if let reason = hands.reasonToLeave(user, version) {
            return leave(user, LeftAlone(version: version, reason: reason))
        }
        return hands.holding(user, version, step) {
            fieldsLeft(&row)
            return read(row, user)
        }
    }
}

/// What is told of a row that is left alone.
struct LeftAlone {
    /// The version of its refresh token; zero where there is none.
    let version: Int64
    /// Why.
    let reason: String
}

extension GrantRow {
    /// A row that was not looked into.
    init(_ user: UserID, _ left: LeftAlone) {
        self.init(
            user: user,
            grant: .unreadable(version: left.version, reason: left.reason),
            accessToken: nil,
            expiresAt: nil,
            memory: nil
        )
    }
}

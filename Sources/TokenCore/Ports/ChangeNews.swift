// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// What the store heard of changes to rows.
package enum ChangeNews: Hashable, Sendable {
    /// The rows of these users were added, changed or deleted, or may have been.
    case users(Set<UserID>)
    /// Another daemon gave back its claims on these accounts.
    case released(Set<UserID>)
    /// More than was told may have happened: a pass over the changes will tell.
    case unknown
}

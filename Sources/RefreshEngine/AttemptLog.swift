// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// The last calls of the endpoint for each account, for whoever asks why an account stands as it does.
///
/// Ten each, of so many accounts at most: beyond that those go whose last call is the longest ago. Accounts that have failed are
/// counted apart, so that a million that do well do not crowd out the one that somebody asks about.
struct AttemptLog: Sendable {
    private static let attemptsEach = 10

    private var quiet: Generations
    private var troubled: Generations

    /// Keeps calls of twice `accounts` accounts that did well, and of as many that failed.
    init(accounts: Int = 5000) {
        quiet = Generations(size: accounts)
        troubled = Generations(size: accounts)
    }

    /// Adds a call that has ended.
    mutating func add(_ attempt: RefreshAttempt, of user: UserID) {
        var attempts = quiet.remove(user) ?? troubled.remove(user) ?? []
        attempts.append(attempt)
        if attempts.count > Self.attemptsEach { attempts.removeFirst() }
        if attempts.contains(where: { $0.failure != nil }) {
            troubled.put(attempts, for: user)
        } else {
            quiet.put(attempts, for: user)
        }
    }

    /// The calls for the account that are remembered, the newest first.
    func attempts(of user: UserID) -> [RefreshAttempt] {
        (quiet[user] ?? troubled[user] ?? []).reversed()
    }

    /// Drops what is remembered of the account.
    mutating func forget(_ user: UserID) {
        _ = quiet.remove(user)
        _ = troubled.remove(user)
    }
}

/// A dictionary that forgets: what was put since the last change of generations, and what was put in the one before.
private struct Generations: Sendable {
    private let size: Int
    private var young: [UserID: [RefreshAttempt]] = [:]
    private var old: [UserID: [RefreshAttempt]] = [:]

    init(size: Int) {
        self.size = size
    }

    subscript(user: UserID) -> [RefreshAttempt]? { young[user] ?? old[user] }

    mutating func put(_ attempts: [RefreshAttempt], for user: UserID) {
        if young.count >= size {
            old = young
            young = [:]
        }
        young[user] = attempts
    }

    mutating func remove(_ user: UserID) -> [RefreshAttempt]? {
        young.removeValue(forKey: user) ?? old.removeValue(forKey: user)
    }
}

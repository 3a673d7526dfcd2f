// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Synchronization
import TokenCore

/// One caller's wait for the disk: answered once, by the disk or by a timer, whichever comes first.
final class JournalTicket: Sendable {
    private let waiter: Mutex<CheckedContinuation<Result<Void, JournalFailure>, Never>?>

    /// Takes charge of the caller that is waiting.
    init(_ waiter: CheckedContinuation<Result<Void, JournalFailure>, Never>) {
        self.waiter = Mutex(waiter)
    }

    /// Answers the caller, unless it has its answer.
    func resolve(_ answer: Result<Void, JournalFailure>) {
        let waiter = waiter.withLock { $0.take() }
        waiter?.resume(returning: answer)
    }
}

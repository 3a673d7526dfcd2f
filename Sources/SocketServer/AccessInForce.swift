// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Synchronization
import TokenCore

/// Who may ask for what, as it is now: the rules can be replaced while callers are served.
///
/// The short way keeps a copy, and looks at no more than one number to know that it is still right. The number is written
/// only when rules change, so that looking at it costs as much as reading memory of one's own.
final class AccessInForce: Sendable {
    /// Rules with the number by which they are known.
    struct Copy: Sendable {
        /// The rules.
        let rules: AccessRules
        /// Which they are, counted from the first.
        let generation: Int
    }

    private let newest: Mutex<Copy>
    private let generation = Atomic<Int>(0)

    /// Begins with these rules.
    init(_ rules: AccessRules) {
        newest = Mutex(Copy(rules: rules, generation: 0))
    }

    /// The rules as they are now.
    var copy: Copy { newest.withLock { $0 } }

    /// The rules by which a request that comes in after this returns is judged.
    func replace(with rules: AccessRules) {
        newest.withLock { newest in
            newest = Copy(rules: rules, generation: newest.generation + 1)
            generation.store(newest.generation, ordering: .releasing)
        }
    }

    /// Whether a copy is what holds now.
    func isCurrent(_ copy: Copy) -> Bool { generation.load(ordering: .acquiring) == copy.generation }
}

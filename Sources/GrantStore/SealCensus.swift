// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import TokenCore

/// How the values of some rows are sealed.
package struct SealCensus: Hashable, Sendable {
    /// Rows that were looked at.
    package private(set) var rows: Int
    /// Values that stand in clear.
    package private(set) var inClear: Int
    /// Values that open, by the key that opens them.
    package private(set) var sealed: [SealingKey: Int]
    /// Values that do not open.
    package private(set) var closed: Int
    /// Why one of those does not open; nil if there are none.
    package private(set) var reason: String?
    /// Rows that hold something, and nothing that does not open.
    package private(set) var openRows: Int

    /// Counts; none unless given.
    package init(
        rows: Int = 0,
        inClear: Int = 0,
        sealed: [SealingKey: Int] = [:],
        closed: Int = 0,
        reason: String? = nil,
        openRows: Int = 0
    ) {
        self.rows = rows
        self.inClear = inClear
        self.sealed = sealed
        self.closed = closed
        self.reason = reason
        self.openRows = openRows
    }

    /// Adds what was counted in other rows.
    package mutating func add(_ other: SealCensus) {
        rows += other.rows
        inClear += other.inClear
        sealed.merge(other.sealed, uniquingKeysWith: +)
        closed += other.closed
        openRows += other.openRows
        reason = reason ?? other.reason
    }

    /// Counts one row's values.
    mutating func count(_ states: [SealState]) {
        rows += 1
        let (before, isEmpty) = (closed, states.allSatisfy { $0 == .nothing })
        for state in states {
            switch state {
            case .nothing: break
            case .inClear: inClear += 1
            case .sealed(let key): sealed[key, default: 0] += 1
            case .closed(let words):
                closed += 1
                reason = reason ?? words
            }
        }
        if closed == before, !isEmpty { openRows += 1 }
    }
}

/// How one value is sealed.
enum SealState: Hashable, Sendable {
    /// There is no token, sealed or not.
    case nothing
    /// It stands in clear.
    case inClear
    /// That key opens it.
    case sealed(SealingKey)
    /// It does not open; the words say why.
    case closed(String)
}

extension PostgresGrantStore {
    /// Looks at the first rows by their ids.
    ///
    /// - Parameter most: how many rows to look at.
    /// - Returns: how their tokens' columns are sealed, by the keys that are configured.
    /// - Throws: as every call of the database.
    package func sealCensus(ofRows most: Int) async throws(StoreFailure) -> SealCensus {
        try await sealPart(after: nil, rows: most)?.census ?? SealCensus()
    }
}

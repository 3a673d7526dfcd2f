// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import GrantStore
import SocketAPI
import TokenCore

/// What `tastytokend reseal` found and did.
package struct ResealReport: Sendable {
    /// How many of those that were refused are named.
    private static let mostNamed = 10

    /// The values of all rows, counted last.
    let census: SealCensus
    /// Whether nothing was to be changed.
    let isDryRun: Bool
    /// Rows that would be sealed anew, where nothing was to be changed.
    let wanting: Int
    /// What was done.
    let tally: ResealTally
    /// How the keys stand.
    let keys: [KeyStanding]
    /// The daemons that write in clear, since no key seals for them.
    let inClear: [Sealer]
    /// Whether an application holds the same keys, and may seal by any of them.
    let isShared: Bool

    /// 0 if all that can be sealed is sealed; 75 if rows were busy to the end, and another run will have them; 65 (`EX_DATAERR`)
    /// if there are values that a person must see to.
    package var exitStatus: Int32 {
        if isDryRun { return 0 }
        if !tally.refused.isEmpty || census.closed > 0 { return 65 }
        return tally.busy > 0 ? 75 : 0
    }

    /// The report in lines.
    package var lines: [String] {
        [outcome] + refusals + trouble + [counts] + keys.map(\.description) + warnings
    }

    private var outcome: String {
        if isDryRun { return "dry run: \(counted(wanting, "row")) would be sealed anew; nothing was changed" }
        let busy = tally.busy == 0 ? "" : "; \(counted(tally.busy, "row")) in use to the end: run it again"
        return "\(counted(tally.sealed, "row")) sealed anew" + busy
    }

    private var refusals: [String] {
        let named = tally.refused.prefix(Self.mostNamed).map { "row \($0.user): not written: \($0.reason)" }
        let others = tally.refused.count - named.count
        return named + (others > 0 ? ["and \(others) more that were not written"] : [])
    }

    private var trouble: [String] {
        census.reason.map { ["\(counted(census.closed, "value")) left as they are; of the first one: \($0)"] } ?? []
    }

    private var counts: String {
        let sealed = census.sealed.values.reduce(0, +)
        return "\(counted(census.rows, "row")): \(counted(sealed, "value")) sealed, \(census.inClear) in clear, "
            + "\(census.closed) that do not open"
    }

    private var warnings: [String] {
        let clear = inClear.map { "\($0.words) writes in clear: give it encryption.mode and keys, and restart it" }
        let others =
            "the application seals by its own settings: before a key goes there, see that its last primary key is ours"
        return clear + (isShared && keys.contains(where: \.isRemovable) ? [others] : [])
    }

    /// The report as a JSON object on one line.
    package var json: String {
        var object = JSONText()
        object.add("dry_run", isDryRun)
        object.add("rows", census.rows)
        object.add("in_clear", census.inClear)
        object.add("unreadable", census.closed)
        object.add("wanting", isDryRun ? wanting : 0)
        object.add("resealed", tally.sealed)
        object.add("busy", tally.busy)
        object.add("refused", tally.refused.count)
        object.add("keys", objects: keys.map(\.json))
        object.close()
        return String(decoding: object.bytes, as: UTF8.self)
    }
}

/// What became of the rows that wanted sealing.
package struct ResealTally: Hashable, Sendable {
    /// A row that the database takes no write to, or whose value cannot be sealed.
    struct Refusal: Hashable, Sendable {
        /// Whose it is.
        let user: UserID
        /// Why.
        let reason: String
    }

    /// Rows that were sealed anew.
    var sealed = 0
    /// Rows that were in use.
    var busy = 0
    /// Rows that cannot be written.
    var refused: [Refusal] = []
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import GrantStore
import SocketAPI
import TokenCore

/// What `tastytokend reseal` found and did.
package struct ResealReport: Sendable {
    /// How everything is sealed, counted last.
    let count: ResealCount
    /// Whether nothing was to be changed.
    let isDryRun: Bool
    /// What was done.
    let tally: ResealTally
    /// How the keys stand.
    let keys: [KeyStanding]
    /// The daemons that write in clear, since no key seals for them.
    let inClear: [Sealer]
    /// Whether an application holds the same keys, and may seal by any of them.
    let isShared: Bool

    private var census: SealCensus { count.rows }
    private var wanting: Int { count.wanting }

    /// 0 if all is sealed; 75 if rows were busy to the end, or were written behind the run, and another run will have them; 65
    /// (`EX_DATAERR`) if there are values that a person must see to.
    package var exitStatus: Int32 {
        if isDryRun { return 0 }
        if tally.refused > 0 || count.all.closed > 0 { return 65 }
        return count.wants ? 75 : 0
    }

    /// The report in lines.
    package var lines: [String] {
        [outcome] + refusals + trouble + [counts] + clients + keys.map(\.description) + warnings
    }

    private var outcome: String {
        let secrets = isDryRun ? count.clients.wanting : tally.clients
        let clients = secrets == 0 ? "" : " and \(secrets.of("client secret"))"
        if isDryRun { return "dry run: \(wanting.of("row"))\(clients) would be sealed anew; nothing was changed" }
        let rest = wanting - tally.refused
        return "\(tally.sealed.of("row"))\(clients) sealed anew"
            + (rest > 0 ? "; \(rest.of("row")) in use to the end, or written meanwhile: run it again" : "")
    }

    private var refusals: [String] {
        let named = tally.refusals.map { "row \($0.user): not written: \($0.reason)" }
        let others = tally.refused - named.count
        return named + (others > 0 ? ["and \(others) more that were not written"] : [])
    }

    private var trouble: [String] {
        census.reason.map { ["\(census.closed.of("value")) left as they are; of the first one: \($0)"] } ?? []
    }

    private var counts: String {
        let sealed = census.sealed.values.reduce(0, +)
        return "\(census.rows.of("row")): \(sealed.of("value")) sealed, \(census.inClear) in clear, "
            + "\(census.closed) that do not open"
    }

    private var clients: [String] {
        let census = count.clients.census
        guard census.rows > 0 else { return [] }
        let counts =
            "\(census.rows.of("OAuth client")): \(census.rows - census.closed) with a secret that is sealed, "
            + "\(census.closed) with one that does not open"
        return [counts]
            + (census.reason.map { ["first of these: \($0) Set it again with tastytoken client set."] } ?? [])
    }

    private var warnings: [String] {
        let clear = inClear.map(\.complaint)
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
        object.add("wanting", wanting)
        object.add("resealed", tally.sealed)
        object.add("refused", tally.refused)
        object.add("clients", count.clients.census.rows)
        object.add("clients_unreadable", count.clients.census.closed)
        object.add("clients_wanting", count.clients.wanting)
        object.add("clients_resealed", tally.clients)
        object.add("daemons_in_clear", inClear.count)
        object.add("keys", objects: keys.map(\.json))
        object.close()
        return String(decoding: object.bytes, as: UTF8.self)
    }
}

/// What became of the rows that wanted sealing.
package struct ResealTally: Hashable, Sendable {
    private static let mostNamed = 10

    /// A row that the database takes no write to, or whose value cannot be sealed.
    struct Refusal: Hashable, Sendable {
        /// Whose it is.
        let user: UserID
        /// Why.
        let reason: String
    }

    /// Rows that were sealed anew.
    var sealed = 0
    /// OAuth clients whose secrets were.
    var clients = 0
    /// Rows that cannot be written.
    private(set) var refused = 0
    /// The first of them.
    private(set) var refusals: [Refusal] = []

    /// Counts a row that cannot be written, and keeps it if it is one of the first.
    mutating func note(_ refusal: Refusal) {
        refused += 1
        if refusals.count < Self.mostNamed { refusals.append(refusal) }
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import GrantStore
import SocketAPI
import TokenCore

/// One of the configured keys, and whether it can go.
struct KeyStanding: Hashable, Sendable {
    /// What is known of its use.
    enum Use: Hashable, Sendable {
        /// It seals new values.
        case seals
        /// Values stand under it.
        case values
        /// None does, but daemons seal by it, of which some may have stopped doing so less than a minute ago.
        case daemons([Sealer], changed: Bool)
        /// None was seen, but not everything could be seen; the words say what.
        case unsure(String)
        /// None does, and no daemon seals by it.
        case none
    }

    /// Where it stands in the configuration.
    let name: String
    /// How many values it opened.
    let values: Int
    /// Its use.
    let use: Use

    /// Whether nothing is lost without it.
    var isRemovable: Bool { use == .none }

    /// How each key stands.
    ///
    /// - Parameters:
    ///   - keys: as they are configured.
    ///   - census: the values of all rows.
    ///   - doubt: why there may be values that were not counted; nil if there are none.
    ///   - sealers: the daemons that sealed when the count began, and those that did when it was over: in between one may have
    ///     written behind the count, and then changed its key.
    /// - Returns: the keys in the order of their settings.
    static func all(
        of keys: [ConfiguredKey],
        _ census: SealCensus,
        doubt: String?,
        sealers: Set<Sealer>
    ) -> [KeyStanding] {
        let current = Set(keys.filter(\.seals).flatMap(\.ids))
        let upToDate = Set(sealers.filter { current.contains($0.keyID) }.map(\.owner))
        return keys.map { key in
            let count = census.sealed.filter { key.ids.contains($0.key.id) }.values.reduce(0, +)
            let daemons = sealers.filter { key.ids.contains($0.keyID) }.inOrder
            let use: Use =
                if key.seals {
                    .seals
                } else if count > 0 {
                    .values
                } else if !daemons.isEmpty {
                    .daemons(daemons, changed: daemons.allSatisfy { upToDate.contains($0.owner) })
                } else {
                    (Self.doubt(census) ?? doubt).map(Use.unsure) ?? .none
                }
            return KeyStanding(name: key.name, values: count, use: use)
        }
    }

    private static func doubt(_ census: SealCensus) -> String? {
        guard census.closed > 0 else { return nil }
        return "\(census.closed.of("value")) could not be opened, and may need it"
    }

    /// Why it stays; nil if it can go.
    private var reason: String? {
        switch use {
        case .seals: "seals what is written"
        case .values: "in use"
        case .daemons(let daemons, changed: true):
            "in use, \(daemons.map(\.words).joined(separator: ", ")) sealed by it less than a minute ago: look again then"
        case .daemons(let daemons, changed: false):
            "in use, \(daemons.map(\.words).joined(separator: ", ")) seals by it: reload it"
        case .unsure(let reason): "keep it: \(reason)"
        case .none: nil
        }
    }

    /// The key as a JSON object.
    var json: [UInt8] {
        var object = JSONText()
        object.add("key", name)
        object.add("values", values)
        object.add("seals", use == .seals)
        object.add("removable", isRemovable)
        object.add("reason", reason)
        object.close()
        return object.bytes
    }
}

extension KeyStanding: CustomStringConvertible {
    /// The key in a line.
    var description: String { "key \(name): \(values.of("value")); \(reason ?? "not in use, it can be removed")" }
}

extension Sealer {
    /// The daemon in words.
    var words: String {
        "daemon \(owner.prefix(8))" + (host.isEmpty ? "" : " on \(SafeText(foreign: host, toBytes: 64).text)")
    }

    /// What is to be done about a daemon that does not seal by the key that it should.
    var complaint: String {
        let what =
            keyID.isEmpty
            ? "writes in clear: give it encryption.mode and keys, and restart it" : "seals by key \(keyID): reload it"
        return "\(words) \(what)"
    }
}

extension Sequence<Sealer> {
    /// By host, and then by daemon.
    var inOrder: [Sealer] { sorted { ($0.host, $0.owner) < ($1.host, $1.owner) } }
}

extension Int {
    /// The number with its noun.
    func of(_ noun: String) -> String { "\(self) \(noun)\(self == 1 ? "" : "s")" }
}

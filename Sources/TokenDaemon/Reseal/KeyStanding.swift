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
        /// None does, but daemons seal by it.
        case daemons([Sealer])
        /// None was seen, but not everything could be seen; the words say what.
        case unsure(String)
        /// None does, and no daemon seals by it.
        case none
    }

    /// The key's id.
    let id: String
    /// How many values it opened.
    let values: Int
    /// Its use.
    let use: Use

    /// Whether nothing is lost without it.
    var isRemovable: Bool { use == .none }

    /// How each key stands.
    ///
    /// - Parameters:
    ///   - sealing: the keys that are configured.
    ///   - census: the values of all rows; nil if not all were counted.
    ///   - sealers: the daemons that sealed when the count began, and those that did when it was over: in between one may have
    ///     written behind the count, and then changed its key.
    /// - Returns: the keys in the order of their settings.
    static func all(of sealing: any ColumnSealing, _ census: SealCensus?, sealers: Set<Sealer>) -> [KeyStanding] {
        var values: [String: Int] = [:]
        for (key, count) in census?.sealed ?? [:] { values[key.id, default: 0] += count }
        return sealing.keyIDs.map { id in
            let count = values[id] ?? 0
            let daemons = sealers.filter { $0.keyID == id }.sorted { ($0.host, $0.owner) < ($1.host, $1.owner) }
            let use: Use =
                if id == sealing.sealingKeyID {
                    .seals
                } else if count > 0 {
                    .values
                } else if !daemons.isEmpty {
                    .daemons(daemons)
                } else {
                    doubt(census).map(Use.unsure) ?? .none
                }
            return KeyStanding(id: id, values: count, use: use)
        }
    }

    private static func doubt(_ census: SealCensus?) -> String? {
        guard let census else { return "not all rows were counted" }
        guard census.closed > 0 else { return nil }
        return "\(counted(census.closed, "value")) could not be opened, and may need it"
    }
}

extension KeyStanding: CustomStringConvertible {
    /// The key in a line.
    var description: String {
        let count = counted(values, "value")
        return switch use {
        case .seals: "key \(id): \(count); seals what is written"
        case .values: "key \(id): \(count); in use"
        case .daemons(let daemons):
            "key \(id): in use, \(daemons.map(\.words).joined(separator: ", ")) seals by it: reload it"
        case .unsure(let reason): "key \(id): no value seen; keep it: \(reason)"
        case .none: "key \(id): not in use; it can be removed"
        }
    }
}

extension KeyStanding {
    /// The key as a JSON object.
    var json: [UInt8] {
        var object = JSONText()
        object.add("id", id)
        object.add("values", values)
        object.add("seals", use == .seals)
        object.add("removable", isRemovable)
        object.close()
        return object.bytes
    }
}

extension Sealer {
    /// The daemon in words.
    var words: String {
        "daemon \(owner.prefix(8))" + (host.isEmpty ? "" : " on \(SafeText(foreign: host, toBytes: 64).text)")
    }
}

/// A number with its noun.
func counted(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }

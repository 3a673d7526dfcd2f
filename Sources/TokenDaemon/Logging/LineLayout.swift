// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import HostSystemd
import Logging
import SocketAPI
package import TokenCore

/// How a record looks on one line.
package enum LineLayout: Hashable, Sendable {
    /// For people: `2026-01-01T00:00:00.000001Z notice engine: refresh failed user.id=42`.
    case text
    /// A flat JSON object (RFC 8259): `time`, `level`, `logger`, `message`, and each piece of metadata under its own key,
    /// a number as one.
    case json

    /// The line, without a line break at its end or anywhere in it.
    package func line(of record: LogRecord, label: String, at time: WallTime) -> String {
        let time = Timestamp.text(microseconds: time.microseconds)
        return switch self {
        case .text: "\(time) \(record.level) \(label): \(record.line)"
        case .json: Self.object(record, label: label, time: time)
        }
    }

    private static func object(_ record: LogRecord, label: String, time: String) -> String {
        let own = [("time", time), ("level", record.level.rawValue), ("logger", label), ("message", record.message)]
        var object = JSONText()
        for (name, value) in own { object.add(name, value) }
        for field in record.fields {
            // A key stands in an object once: metadata does not overwrite what the record says of itself.
            let isTaken = own.contains { $0.0 == field.key }
            let key = isTaken ? "metadata.\(field.key)" : field.key
            if field.isNumber { object.add(key, number: field.value) } else { object.add(key, field.value) }
        }
        object.close()
        return String(decoding: object.bytes, as: UTF8.self)
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import Logging
import TokenCore

/// A log event made ready to be written: metadata merged, flattened, escaped and bounded. All handlers start from it,
/// so that none of them can forget one of these.
package struct LogRecord: Sendable {
    /// One piece of metadata.
    package struct Field: Hashable, Sendable {
        /// The dotted key as the caller gave it.
        package let key: String
        /// The value in words, on one line.
        package let value: String
        /// Whether the value was given as a number, so that it may stand as one where the form knows numbers. An id that is
        /// made of digits is given as a text, and stays one.
        package let isNumber: Bool
    }

    /// How serious it is.
    package let level: Logger.Level
    /// The constant text.
    package let message: String
    /// The metadata, sorted by key; what lies deeper has a dotted key.
    package let fields: [Field]

    /// A record has at most that many fields; more are left out and counted in `fields.dropped`.
    static let fieldLimit = 48
    /// A value has at most that many bytes.
    static let valueLimit = 1024
    /// A message has at most that many bytes.
    static let messageLimit = 2048

    /// Takes an event and what the handler adds to each of its events. What stands nearer to the call wins: the event's
    /// own metadata over the provider's, the provider's over the handler's.
    package init(_ event: LogEvent, handler: Logger.Metadata, provider: Logger.MetadataProvider?) {
        var merged = handler
        if let provided = provider?.get() { merged.merge(provided) { $1 } }
        if let own = event.metadata { merged.merge(own) { $1 } }
        if let error = event.error { merged["error"] = "\(error)" }
        self.level = event.level
        self.message = SafeText(event.message.description, toBytes: Self.messageLimit).text
        self.fields = Self.fields(of: merged)
    }

    private init(_ level: Logger.Level, _ message: String, _ fields: [Field]) {
        (self.level, self.message, self.fields) = (level, message, fields)
    }

    /// That so many records were not written.
    package static func dropped(_ count: Int) -> LogRecord {
        LogRecord(
            .warning,
            "records were not written, since whoever reads the log stood still",
            [Field(key: "records.dropped", value: "\(count)", isNumber: true)]
        )
    }

    private static func fields(of metadata: Logger.Metadata) -> [Field] {
        var fields: [Field] = []
        flatten(metadata, under: "", depth: 0, into: &fields)
        fields.sort { $0.key < $1.key }
        guard fields.count > fieldLimit else { return fields }
        let dropped = Field(key: "fields.dropped", value: "\(fields.count - fieldLimit)", isNumber: true)
        return fields.prefix(fieldLimit) + [dropped]
    }

    private static func flatten(
        _ metadata: Logger.Metadata,
        under prefix: String,
        depth: Int,
        into fields: inout [Field]
    ) {
        for (key, value) in metadata {
            if case .dictionary(let inner) = value, depth < 4 {
                flatten(inner, under: "\(prefix)\(key).", depth: depth + 1, into: &fields)
            } else {
                let name = SafeText(prefix + key, toBytes: SafeText.codeLimit).text
                let text = SafeText("\(value)", toBytes: valueLimit).text
                fields.append(Field(key: name, value: text, isNumber: isNumber(value)))
            }
        }
    }

    private static func isNumber(_ value: Logger.MetadataValue) -> Bool {
        switch value {
        case .stringConvertible(let value as Double): value.isFinite
        case .stringConvertible(let value): value is any BinaryInteger
        default: false
        }
    }
}

extension LogRecord {
    /// The message and its metadata as people read them: `refresh failed user.id=42 error.code=invalid_grant`.
    package var line: String {
        fields.reduce(into: message) { line, field in
            line += " \(field.key)=\(Self.quoted(field.value))"
        }
    }

    /// A value with spaces, quotes or nothing in it stands in quotes, so that its end is seen.
    private static func quoted(_ value: String) -> String {
        guard value.isEmpty || value.contains(where: { " \"=".contains($0) }) else { return value }
        return "\"" + value.replacing("\"", with: "\\\"") + "\""
    }
}

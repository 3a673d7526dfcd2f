// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import Logging

/// Writes records to the journal with their fields, so that `journalctl USER_ID=42` finds all about an account.
package struct JournalLogHandler: LogHandler {
    /// What is less serious is not written: what holds for all loggers, unless this one was given a level of its own.
    package var logLevel: Logger.Level {
        get { ownLevel ?? threshold.level }
        set { ownLevel = newValue }
    }
    /// What this logger adds to each of its records.
    package var metadata: Logger.Metadata = [:]
    /// What the task at hand adds to each of its records.
    package var metadataProvider: Logger.MetadataProvider?

    private let threshold: LogThreshold
    private var ownLevel: Logger.Level?
    private let label: String
    private let identifier: String
    private let send: @Sendable (JournalRecord) -> Void

    /// Writes for the logger of that label.
    ///
    /// - Parameters:
    ///   - label: the logger's, in the field `LOGGER`.
    ///   - identifier: the program's name, in the field `SYSLOG_IDENTIFIER`.
    ///   - level: what is less serious is not written.
    ///   - metadataProvider: what the task at hand adds to each record.
    ///   - send: takes a finished record; ``JournalRecord/sendToJournal()`` unless a test looks on.
    package init(
        label: String,
        identifier: String,
        level: LogThreshold,
        metadataProvider: Logger.MetadataProvider? = nil,
        send: @escaping @Sendable (JournalRecord) -> Void = { $0.sendToJournal() }
    ) {
        self.label = label
        self.identifier = identifier
        self.threshold = level
        self.metadataProvider = metadataProvider
        self.send = send
    }

    /// Reads and writes one piece of ``metadata``.
    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Writes one record.
    package func log(event: LogEvent) {
        let record = LogRecord(event, handler: metadata, provider: metadataProvider)
        var journal = JournalRecord()
        journal.append("MESSAGE", record.line)
        journal.append("PRIORITY", "\(Self.priority(of: record.level))")
        journal.append("SYSLOG_IDENTIFIER", identifier)
        journal.append("LOGGER", label)
        journal.append("CODE_FILE", event.file)
        journal.append("CODE_LINE", "\(event.line)")
        journal.append("CODE_FUNC", event.function)
        for field in record.fields {
            if let name = JournalFieldName(metadataKey: field.key) { journal.append(name.text, field.value) }
        }
        send(journal)
    }

    /// The level in syslog's numbers (syslog(3)). The journal has no place below 7 for `trace`.
    static func priority(of level: Logger.Level) -> Int {
        switch level {
        case .trace, .debug: 7
        case .info: 6
        case .notice: 5
        case .warning: 4
        case .error: 3
        case .critical: 2
        }
    }
}

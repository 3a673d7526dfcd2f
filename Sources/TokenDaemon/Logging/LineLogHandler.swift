// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import HostSystemd
package import Logging
package import TokenCore

/// Writes each record as one line, for where there is no journal.
package struct LineLogHandler: LogHandler {
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
    private let layout: LineLayout
    private let sink: LineSink
    private let now: @Sendable () -> WallTime

    /// Writes for the logger of that label; `now` gives the records their time.
    package init(
        label: String,
        level: LogThreshold,
        layout: LineLayout,
        sink: LineSink,
        now: @escaping @Sendable () -> WallTime
    ) {
        self.label = label
        self.threshold = level
        self.layout = layout
        self.sink = sink
        self.now = now
    }

    /// Reads and writes one piece of ``metadata``.
    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Writes one record.
    package func log(event: LogEvent) {
        let record = LogRecord(event, handler: metadata, provider: metadataProvider)
        sink.write(Array((layout.line(of: record, label: label, at: now()) + "\n").utf8))
    }
}

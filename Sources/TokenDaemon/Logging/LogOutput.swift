// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import HostSystemd
package import Logging
package import TokenCore

/// Decides where records go and in what form (product.md, `log.format`).
package enum LogOutput {
    /// A factory for `LoggingSystem.bootstrap`.
    ///
    /// - Parameters:
    ///   - log: the configuration's section.
    ///   - level: what is less serious is not written; it may be changed afterwards.
    ///   - environment: says whether the standard error is the journal's.
    ///   - descriptor: the standard error.
    ///   - now: gives the records their time, where the journal does not.
    /// - Returns: what makes a handler for a logger's label.
    package static func factory(
        _ log: Configuration.Log,
        level: LogThreshold,
        environment: [String: String],
        descriptor: Int32 = 2,
        now: @escaping @Sendable () -> WallTime
    ) -> @Sendable (String) -> any LogHandler {
        let isJournal = JournalStream.isConnected(to: descriptor, environment: environment)
        switch log.format ?? (isJournal ? .journald : .text) {
        case .journald:
            let identifier = "tastytokend"
            let writer = RecordWriter<JournalRecord>.toJournal(identifier: identifier)
            return { JournalLogHandler(label: $0, identifier: identifier, level: level, send: writer.write) }
        case .text: return lines(.text, level, descriptor, now)
        case .json: return lines(.json, level, descriptor, now)
        }
    }

    private static func lines(
        _ layout: LineLayout,
        _ level: LogThreshold,
        _ descriptor: Int32,
        _ now: @escaping @Sendable () -> WallTime
    ) -> @Sendable (String) -> any LogHandler {
        let sink = LineSink.patient(LineSink.descriptor(descriptor), layout, now)
        return { LineLogHandler(label: $0, level: level, layout: layout, sink: sink, now: now) }
    }
}

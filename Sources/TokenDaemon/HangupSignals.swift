// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Dispatch
import Glibc

/// SIGHUP as a stream. However many came while nobody looked, they are told as one: the configuration is read once after the
/// last of them.
final class HangupSignals: Sendable {
    /// One element for each look that is due.
    let stream: AsyncStream<Void>

    /// Takes the signal from here on, as long as the stream is kept.
    init() {
        // Dispatch tells of signals that are left to it; the default for this one is to end the process.
        signal(SIGHUP, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: SIGHUP, queue: DispatchQueue(label: "tastytokend.signals"))
        stream = AsyncStream(bufferingPolicy: .bufferingNewest(1)) { continuation in
            source.setEventHandler { continuation.yield() }
            // Unchecked because only the type's annotation is missing on Linux: sources may be used from any thread.
            nonisolated(unsafe) let source = source
            continuation.onTermination = { _ in source.cancel() }
        }
        source.activate()
    }
}

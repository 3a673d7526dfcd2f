// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import Glibc
import Synchronization

/// A process that cleans up after this one, even if this one is killed: it reads a pipe that nobody writes to, and gets
/// to work when the pipe closes.
final class Janitor: Sendable {
    private let pipe: Mutex<CInt?>
    private let ended: Task<Void, Never>

    /// Engages a janitor who will run `stop`, whatever comes of it, and then remove `folder`.
    init(folder: String, stop: [String]) throws {
        let script = """
            trap '' INT TERM HUP
            cat >/dev/null
            cd "$0"
            "$@"
            cd /
            rm -rf -- "$0"
            """
        let ends = try PipeEnds()
        defer { close(ends.reading) }
        let words = ["/bin/sh", "-c", script, folder] + stop
        let process = try ChildProcess(words, environment: Command.environment, streams: [ends.reading, nil, nil])
        self.pipe = Mutex(ends.writing)
        self.ended = Task {
            await withCheckedContinuation { continuation in
                // Waiting blocks, which the cooperative pool's threads must not.
                Thread.detachNewThread {
                    _ = process.wait()
                    continuation.resume()
                }
            }
        }
    }

    deinit {
        letGo()
    }

    /// Closes the pipe and waits until everything is gone.
    func finish() async {
        letGo()
        await ended.value
    }

    private func letGo() {
        let end = pipe.withLock { $0.take() }
        if let end { close(end) }
    }
}

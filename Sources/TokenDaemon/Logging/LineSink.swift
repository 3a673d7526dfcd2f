// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Glibc
import HostSystemd
import TokenCore

/// Where finished lines go; tests hand in their own.
package struct LineSink: Sendable {
    /// Takes one line, its line break included.
    package let write: @Sendable ([UInt8]) -> Void

    /// Takes a way to write lines.
    package init(write: @escaping @Sendable ([UInt8]) -> Void) {
        self.write = write
    }

    /// Writes to another sink on a thread of its own, and has nobody wait for one that stands still (``HostSystemd/RecordWriter``).
    static func patient(
        _ sink: LineSink,
        _ layout: LineLayout,
        _ now: @escaping @Sendable () -> WallTime
    ) -> LineSink {
        let writer = RecordWriter<[UInt8]>(put: sink.write) { dropped in
            Array((layout.line(of: .dropped(dropped), label: "log", at: now()) + "\n").utf8)
        }
        return LineSink(write: writer.write)
    }

    /// Writes to a descriptor, each line in one call, so that lines of several threads or processes do not mix (on a
    /// pipe as far as its atomic writes reach: 4096 bytes, pipe(7)). What cannot be written is lost: there is nowhere
    /// left to complain.
    package static func descriptor(_ descriptor: Int32) -> LineSink {
        LineSink { line in
            line.withUnsafeBytes { bytes in
                var rest = bytes[...]
                while !rest.isEmpty {
                    let count = Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                    if count < 0, errno == EINTR { continue }
                    guard count > 0 else { return }
                    rest = rest.dropFirst(count)
                }
            }
        }
    }
}

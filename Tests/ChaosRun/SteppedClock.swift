// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation

/// A wall clock for one program, which can be stepped while it runs (libfaketime). Its other clocks stay true.
struct SteppedClock: Sendable {
    private let file: String
    private let library: String

    /// Where Debian and Ubuntu have the library; nil where it is not installed.
    static let library: String? = {
        let folders = (try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib")) ?? []
        return folders.map { "/usr/lib/\($0)/faketime/libfaketimeMT.so.1" }
            .first { FileManager.default.fileExists(atPath: $0) }
    }()

    /// A clock that tells the true time.
    init(file: String) throws {
        guard let library = Self.library else {
            throw Overdue(description: "libfaketime is not installed: apt-get install libfaketime")
        }
        (self.file, self.library) = (file, library)
        try set(to: 0)
    }

    /// What a program has around it to go by this clock.
    var environment: [String: String] {
        [
            "LD_PRELOAD": library, "FAKETIME_TIMESTAMP_FILE": file, "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        ]
    }

    /// Steps it to so many seconds from the true time.
    func set(to offset: Double) throws {
        let text = (offset < 0 ? "" : "+") + Disturbance.text(offset)
        // Renamed into its place, so that it is never read half-written.
        try Data(text.utf8).write(to: URL(fileURLWithPath: file), options: .atomic)
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import Testing

/// What the kernel tells of another process (proc(5)).
struct ProcessView {
    let process: Int32

    /// The processor time that it has used, its kernel's share included.
    func processorTime() throws -> Duration {
        let text = try String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)
        let fields = text.drop { $0 != ")" }.split(separator: " ")
        let ticks = (try #require(Int(fields[12]))) + (try #require(Int(fields[13])))
        return .seconds(ticks) / sysconf(Int32(_SC_CLK_TCK))
    }

    /// How many descriptors it has open.
    func descriptors() throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/fd").count
    }

    /// Its memory that is no file's, in KiB.
    func anonymousMemory() throws -> Int {
        let text = try String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
        let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("RssAnon:") })
        return try #require(Int(line.filter(\.isNumber)))
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import CoreMetrics
import FoundationEssentials
import Glibc
import TokenCore

/// What the kernel says of this process, under the names that Prometheus' own clients use.
struct ProcessMetrics: Sendable {
    private static let start = MetricDescription(
        "process_start_time_seconds",
        .gauge,
        help: "When the process started, in seconds since 1970-01-01."
    )
    private static let memory = MetricDescription(
        "process_resident_memory_bytes",
        .gauge,
        help: "Memory of the process that is in RAM."
    )
    private static let descriptors = MetricDescription("process_open_fds", .gauge, help: "Open file descriptors.")
    private static let descriptorLimit = MetricDescription(
        "process_max_fds",
        .gauge,
        help: "File descriptors that may be open at once."
    )
    static let descriptions = [start, memory, descriptors, descriptorLimit]

    private let resident: Meter
    private let openFiles: Meter
    private let most: Meter

    init(_ factory: any MetricsFactory, startedAt: WallTime) {
        resident = Meter(label: Self.memory.name, factory: factory)
        openFiles = Meter(label: Self.descriptors.name, factory: factory)
        most = Meter(label: Self.descriptorLimit.name, factory: factory)
        let seconds = Double(startedAt.microseconds) / 1e6
        Meter(label: Self.start.name, factory: factory).set(seconds)
    }

    /// Looks at the process. What the kernel does not tell stays as it was.
    func measure() {
        if let bytes = Self.residentBytes { resident.set(bytes) }
        if let count = Self.openDescriptors { openFiles.set(count) }
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 { most.set(limit.rlim_cur) }
    }

    /// The second number of `/proc/self/statm` counts pages (proc_pid_statm(5)).
    private static var residentBytes: Int? {
        guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return nil }
        let fields = text.split(separator: " ")
        return fields.count > 1 ? Int(fields[1]).map { $0 * sysconf(Int32(_SC_PAGESIZE)) } : nil
    }

    /// Each has an entry in that folder, and so has the look at it.
    private static var openDescriptors: Int? {
        guard let folder = opendir("/proc/self/fd") else { return nil }
        defer { closedir(folder) }
        var entries = 0
        while readdir(folder) != nil { entries += 1 }
        // The folder itself, the one above it, and the look.
        return entries - 3
    }
}

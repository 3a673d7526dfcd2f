// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import CoreMetrics
import MetricsText
import RefreshEngine
import SocketServer
import TokenCore

/// All metrics of the daemon: where its parts record, and how they become text.
struct DaemonMetrics: Sendable {
    private static let build = MetricDescription(
        "tastytokend_build_info",
        .gauge,
        help: "Always 1; the label says which version runs."
    )

    /// Where every part records.
    let registry = MetricRegistry(
        [build] + ProcessMetrics.descriptions + RefreshMetrics.descriptions + SocketMetrics.descriptions
    )
    private let process: ProcessMetrics

    /// The metrics of a process that began at that time.
    init(version: String, startedAt: WallTime) {
        process = ProcessMetrics(registry, startedAt: startedAt)
        Meter(label: Self.build.name, dimensions: [("version", version)], factory: registry).set(1)
    }

    /// Everything in Prometheus' text format, as it is now.
    func text(of engine: RefreshEngine) async -> String {
        await engine.measure()
        process.measure()
        return registry.text
    }
}

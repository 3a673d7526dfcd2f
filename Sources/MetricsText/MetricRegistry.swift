// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import CoreMetrics
import Synchronization
package import TokenCore

/// Keeps what is recorded through swift-metrics, and writes it out for Prometheus.
///
/// It keeps only what was described to it, and of each metric a bounded number of series: whatever labels come, its size has an
/// end. Handlers beyond that, or of another kind than described, record nothing. The lock is held to find a series, not to
/// record.
package final class MetricRegistry: MetricsFactory {
    /// Series of one metric, at most.
    static let mostSeries = 500

    private enum Cell {
        case count(CountCell)
        case number(NumberCell)
        case histogram(HistogramCell)

        init(_ kind: MetricDescription.Kind, withFraction: Bool) {
            switch kind {
            case .counter where !withFraction: self = .count(CountCell())
            case .counter, .gauge: self = .number(NumberCell())
            case .histogram(let bounds): self = .histogram(HistogramCell(bounds: bounds))
            }
        }

        var object: AnyObject {
            switch self {
            case .count(let cell): cell
            case .number(let cell): cell
            case .histogram(let cell): cell
            }
        }

        var value: MetricReading.Value {
            switch self {
            case .count(let cell): .count(cell.value)
            case .number(let cell): .number(cell.value)
            case .histogram(let cell): .histogram(cell.reading)
            }
        }
    }

    private struct Metric {
        let description: MetricDescription
        var series: [LabelText: Cell] = [:]
    }

    private let metrics: Mutex<[String: Metric]>

    /// Keeps these metrics; of two with one name, the first.
    package init(_ descriptions: [MetricDescription]) {
        let metrics = descriptions.map { ($0.name, Metric(description: $0)) }
        self.metrics = Mutex(Dictionary(metrics) { first, _ in first })
    }

    /// What there is now, in Prometheus' text format (version 0.0.4).
    package var text: String {
        ExpositionText.render(
            metrics.withLock { metrics in
                metrics.values.map { MetricReading(description: $0.description, series: $0.series.mapValues(\.value)) }
            }
        )
    }

    /// The cell of a series, made at its first use; nil where the metric is not described, is of another kind or full, or the
    /// labels are none.
    private func cell(
        _ label: String,
        _ dimensions: [(String, String)],
        if isKind: (MetricDescription.Kind) -> Bool,
        withFraction: Bool = false
    ) -> Cell? {
        guard let labels = LabelText(dimensions) else { return nil }
        return metrics.withLock { metrics in
            guard let metric = metrics[label], isKind(metric.description.kind) else { return nil }
            if let cell = metric.series[labels] { return cell }
            guard metric.series.count < Self.mostSeries else { return nil }
            let cell = Cell(metric.description.kind, withFraction: withFraction)
            metrics[label]?.series[labels] = cell
            return cell
        }
    }

    private func remove(_ object: AnyObject) {
        metrics.withLock { metrics in
            metrics = metrics.mapValues { metric in
                var metric = metric
                metric.series = metric.series.filter { $0.value.object !== object }
                return metric
            }
        }
    }
}

extension MetricRegistry {
    /// A counter of whole numbers.
    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        let cell = cell(label, dimensions) { $0 == .counter }
        return if case .count(let cell)? = cell { cell } else { NOOPMetricsHandler.instance }
    }

    /// A counter of numbers with a fraction.
    package func makeFloatingPointCounter(
        label: String,
        dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        let cell = cell(label, dimensions, if: { $0 == .counter }, withFraction: true)
        return if case .number(let cell)? = cell { cell } else { NOOPMetricsHandler.instance }
    }

    /// A gauge.
    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        gauge(label, dimensions) ?? NOOPMetricsHandler.instance
    }

    /// A histogram; one that is not to be aggregated is a gauge.
    package func makeRecorder(
        label: String,
        dimensions: [(String, String)],
        aggregate: Bool
    ) -> any RecorderHandler {
        let handler: (any RecorderHandler)? = aggregate ? histogram(label, dimensions) : gauge(label, dimensions)
        return handler ?? NOOPMetricsHandler.instance
    }

    /// A histogram of seconds.
    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        histogram(label, dimensions) ?? NOOPMetricsHandler.instance
    }

    private func gauge(_ label: String, _ dimensions: [(String, String)]) -> NumberCell? {
        let cell = cell(label, dimensions) { $0 == .gauge }
        return if case .number(let cell)? = cell { cell } else { nil }
    }

    private func histogram(_ label: String, _ dimensions: [(String, String)]) -> HistogramCell? {
        let cell = cell(label, dimensions) { if case .histogram = $0 { true } else { false } }
        return if case .histogram(let cell)? = cell { cell } else { nil }
    }

    /// Forgets a series.
    package func destroyCounter(_ handler: any CounterHandler) { remove(handler) }
    /// Forgets a series.
    package func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) { remove(handler) }
    /// Forgets a series.
    package func destroyMeter(_ handler: any MeterHandler) { remove(handler) }
    /// Forgets a series.
    package func destroyRecorder(_ handler: any RecorderHandler) { remove(handler) }
    /// Forgets a series.
    package func destroyTimer(_ handler: any TimerHandler) { remove(handler) }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// A metric with all its series, as read at one time.
struct MetricReading: Sendable {
    /// What a series says.
    enum Value: Sendable {
        case count(Int64)
        case number(Double)
        case histogram(HistogramCell.Reading)
    }

    /// What metric it is.
    let description: MetricDescription
    /// Its series.
    let series: [LabelText: Value]
}

/// Prometheus' text format, version 0.0.4.
enum ExpositionText {
    /// Writes metrics out, sorted by name and labels, each with its help and its type. Metrics without a series are left out.
    static func render(_ metrics: [MetricReading]) -> String {
        var text = ""
        for metric in metrics.sorted(by: { $0.description.name < $1.description.name }) where !metric.series.isEmpty {
            let name = metric.description.name
            text +=
                "# HELP \(name) \(escapeHelp(metric.description.help))\n# TYPE \(name) \(metric.description.kind.word)\n"
            for (labels, value) in metric.series.sorted(by: { $0.key < $1.key }) {
                write(value, of: metric.description, labels.text, to: &text)
            }
        }
        return text
    }

    private static func write(
        _ value: MetricReading.Value,
        of description: MetricDescription,
        _ labels: String,
        to text: inout String
    ) {
        switch value {
        case .count(let count): text += line(description.name, labels, "\(count)")
        case .number(let number): text += line(description.name, labels, format(number))
        case .histogram(let reading):
            guard case .histogram(let bounds) = description.kind else { return }
            for (bound, count) in zip(bounds + [.infinity], reading.upTo) {
                let limit = "le=\"\(format(bound))\""
                text += line(description.name + "_bucket", labels.isEmpty ? limit : labels + "," + limit, "\(count)")
            }
            text += line(description.name + "_sum", labels, format(reading.sum))
            text += line(description.name + "_count", labels, "\(reading.upTo.last ?? 0)")
        }
    }

    private static func line(_ name: String, _ labels: String, _ value: String) -> String {
        labels.isEmpty ? "\(name) \(value)\n" : "\(name){\(labels)} \(value)\n"
    }

    /// A number as Go reads one: whole numbers without a fraction.
    static func format(_ number: Double) -> String {
        if number.isNaN { return "NaN" }
        if number.isInfinite { return number < 0 ? "-Inf" : "+Inf" }
        // Every whole number up to here is exact.
        if number.magnitude < 0x1p53, number == number.rounded(.towardZero) { return "\(Int64(number))" }
        return "\(number)"
    }

    private static func escapeHelp(_ help: String) -> String {
        help.split(separator: "\\", omittingEmptySubsequences: false).joined(separator: #"\\"#)
            .split(separator: "\n", omittingEmptySubsequences: false).joined(separator: #"\n"#)
    }
}

extension MetricDescription.Kind {
    /// The word of the format.
    fileprivate var word: String {
        switch self {
        case .counter: "counter"
        case .gauge: "gauge"
        case .histogram: "histogram"
        }
    }
}

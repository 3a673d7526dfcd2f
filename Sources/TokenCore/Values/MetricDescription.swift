// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// A metric as those who look at it know it: its name, what it means, and what kind it is (product.md, Metrics).
///
/// Whoever records says what he records in such descriptions; a backend that is handed all of them knows of each what it
/// has to keep.
package struct MetricDescription: Hashable, Sendable {
    /// What kind of metric it is.
    package enum Kind: Hashable, Sendable {
        /// Only ever goes up.
        case counter
        /// Goes up and down.
        case gauge
        /// How many values were no greater than each of these bounds, which ascend.
        case histogram(bounds: [Double])
    }

    /// Its name, with the unit at its end: `[a-zA-Z_:][a-zA-Z0-9_:]*`.
    package let name: String
    /// What it means, in a sentence.
    package let help: String
    /// What kind it is.
    package let kind: Kind

    /// Describes a metric.
    package init(_ name: String, _ kind: Kind, help: String) {
        self.name = name
        self.help = help
        self.kind = kind
    }
}

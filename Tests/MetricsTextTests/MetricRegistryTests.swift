// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import CoreMetrics
import Testing
import TokenCore

@testable import MetricsText

@Suite struct MetricRegistryTests {
    private let registry = MetricRegistry([
        MetricDescription("a_total", .counter, help: "Back\\slash and\nline."),
        MetricDescription("b_bytes", .gauge, help: "B."),
        MetricDescription("c_seconds", .histogram(bounds: [0.5, 1, 2.5]), help: "C."),
    ])

    @Test func everythingIsWrittenInOrderWithHelpAndType() {
        Meter(label: "b_bytes", factory: registry).set(1.5)
        Counter(label: "a_total", dimensions: [("z", "1"), ("a", "2")], factory: registry).increment(by: 3)
        Counter(label: "a_total", dimensions: [("a", "1")], factory: registry).increment()
        let timer = Timer(label: "c_seconds", factory: registry)
        for nanoseconds in [400_000_000, 500_000_000, 700_000_000, 9_000_000_000] as [Int64] {
            timer.recordNanoseconds(nanoseconds)
        }
        #expect(
            registry.text == """
                # HELP a_total Back\\\\slash and\\nline.
                # TYPE a_total counter
                a_total{a="1"} 1
                a_total{a="2",z="1"} 3
                # HELP b_bytes B.
                # TYPE b_bytes gauge
                b_bytes 1.5
                # HELP c_seconds C.
                # TYPE c_seconds histogram
                c_seconds_bucket{le="0.5"} 2
                c_seconds_bucket{le="1"} 3
                c_seconds_bucket{le="2.5"} 3
                c_seconds_bucket{le="+Inf"} 4
                c_seconds_sum 10.6
                c_seconds_count 4

                """
        )
    }

    @Test func whatIsWrittenReadsBack() throws {
        let labels = [("path", "a\\b\"c\nd, e=\"é\"}")]
        Counter(label: "a_total", dimensions: labels, factory: registry).increment(by: 7)
        Recorder(label: "c_seconds", dimensions: [("x", "1")], factory: registry).record(2)
        Meter(label: "b_bytes", factory: registry).set(Double.nan)
        let read = try ExpositionParser(registry.text)
        #expect(read["a_total", Dictionary(uniqueKeysWithValues: labels)] == 7)
        #expect(read["b_bytes"]?.isNaN == true)
        #expect(read["c_seconds_bucket", ["x": "1", "le": "2.5"]] == 1)
        #expect(read["c_seconds_sum", ["x": "1"]] == 2)
        #expect(read.types == ["a_total": "counter", "b_bytes": "gauge", "c_seconds": "histogram"])
        #expect(read.helps["b_bytes"] == "B.")
    }

    @Test(arguments: [
        (0.0, "0"), (-3, "-3"), (900, "900"), (0.25, "0.25"), (1e-7, "1e-07"), (1e300, "1e+300"),
        (0x1p60, "1.152921504606847e+18"), (.nan, "NaN"), (.infinity, "+Inf"), (-.infinity, "-Inf"),
    ])
    func numbersAreWrittenAsGoReadsThem(number: Double, text: String) {
        #expect(ExpositionText.format(number) == text)
    }

    @Test func aSeriesIsOneHoweverOftenItIsAskedFor() throws {
        for order in [[("a", "1"), ("b", "2")], [("b", "2"), ("a", "1")]] {
            Counter(label: "a_total", dimensions: order, factory: registry).increment()
        }
        #expect(try ExpositionParser(registry.text)["a_total", ["a": "1", "b": "2"]] == 2)
    }

    @Test func whatWasNotDescribedOrIsOfAnotherKindIsNotKept() {
        Counter(label: "unknown_total", factory: registry).increment()
        Counter(label: "b_bytes", factory: registry).increment()
        Counter(label: "c_seconds", factory: registry).increment()
        FloatingPointCounter(label: "b_bytes", factory: registry).increment(by: 0.5)
        Meter(label: "a_total", factory: registry).set(5)
        Timer(label: "b_bytes", factory: registry).recordNanoseconds(5)
        Recorder(label: "a_total", factory: registry).record(5)
        #expect(registry.text == "")
    }

    @Test(arguments: ["1a", "le", "__a", "a-b", "", "a b", "é"])
    func aLabelThatIsNoneIsNotKept(name: String) {
        Counter(label: "a_total", dimensions: [(name, "x")], factory: registry).increment()
        Counter(label: "a_total", dimensions: [("a", "1"), ("a", "2")], factory: registry).increment()
        #expect(registry.text == "")
    }

    @Test func thereIsAnEndToTheSeriesOfAMetric() throws {
        for number in 0..<MetricRegistry.mostSeries + 100 {
            Counter(label: "a_total", dimensions: [("n", "\(number)")], factory: registry).increment()
        }
        #expect(try ExpositionParser(registry.text).values.count == MetricRegistry.mostSeries)
    }

    @Test func fractionsAreCountedAndGaugesGoUpAndDown() throws {
        let counter = FloatingPointCounter(label: "a_total", factory: registry)
        counter.increment(by: 0.25)
        counter.increment(by: 0.5)
        let meter = Meter(label: "b_bytes", factory: registry)
        meter.set(10)
        meter.increment(by: 2.5)
        meter.decrement(by: 4)
        let read = try ExpositionParser(registry.text)
        #expect(read["a_total"] == 0.75)
        #expect(read["b_bytes"] == 8.5)
        Gauge(label: "b_bytes", factory: registry).record(3)
        #expect(try ExpositionParser(registry.text)["b_bytes"] == 3)
    }

    @Test func whatIsDestroyedIsForgottenAndBeginsAnew() throws {
        let counter = Counter(label: "a_total", dimensions: [("a", "1")], factory: registry)
        counter.increment()
        Counter(label: "a_total", dimensions: [("a", "2")], factory: registry).increment()
        counter.destroy()
        #expect(try ExpositionParser(registry.text).values.count == 1)
        Counter(label: "a_total", dimensions: [("a", "1")], factory: registry).increment(by: 0)
        #expect(try ExpositionParser(registry.text)["a_total", ["a": "1"]] == 0)
    }

    @Test func nothingIsLostBetweenThreads() async throws {
        let counter = FloatingPointCounter(label: "a_total", factory: registry)
        let recorder = Recorder(label: "c_seconds", factory: registry)
        let timer = Timer(label: "c_seconds", factory: registry)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    for _ in 0..<10_000 {
                        counter.increment(by: 0.5)
                        recorder.record(2)
                        timer.recordNanoseconds(250_000_000)
                    }
                }
            }
        }
        let read = try ExpositionParser(registry.text)
        #expect(read["a_total"] == 20_000)
        #expect(read["c_seconds_count"] == 80_000)
        #expect(read["c_seconds_bucket", ["le": "0.5"]] == 40_000)
        #expect(read["c_seconds_sum"] == 90_000)
    }

    @Test func aHistogramHasNoMoreBoundsThanItHasRoomFor() {
        let cell = HistogramCell(bounds: (1...40).map { Double($0) })
        cell.record(30 as Int64)
        #expect(cell.reading.upTo.count == HistogramCell.mostBounds + 1)
        #expect(cell.reading.upTo.last == 1)
    }

    @Test(arguments: [
        "a 1", "# HELP a A.\n# TYPE a gauge\na 1", "# HELP a A.\n# TYPE a gauge\na 1\na 2\n",
        "# HELP a A.\n# TYPE a gauge\nb 1\n", "# HELP a A.\n# TYPE a counter\na -1\n",
        "# HELP a A.\n# TYPE a gauge\na{b=\"c} 1\n", "# HELP a A.\n# TYPE a gauge\na{b=\"\\t\"} 1\n",
        "# HELP a A.\n# TYPE a histogram\na_bucket{le=\"1\"} 1\na_sum 1\na_count 1\n",
        "# HELP a A.\n# TYPE a gauge\na inf\n",
    ])
    func theParserOfTheseTestsFindsFaults(text: String) {
        #expect(throws: ExpositionParser.Fault.self) { try ExpositionParser(text) }
    }
}

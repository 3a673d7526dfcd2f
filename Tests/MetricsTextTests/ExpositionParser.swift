// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// Reads Prometheus' text format 0.0.4 by its rules, and finds fault with all that is not quite right: families in one piece
/// and once, help and type before their samples, no series twice, histograms that add up.
struct ExpositionParser {
    struct Fault: Error, CustomStringConvertible {
        let line: String
        let reason: String
        var description: String { "\(reason): \(line)" }
    }

    struct Sample: Hashable {
        let name: String
        let labels: [String: String]
    }

    /// The type of each family.
    private(set) var types: [String: String] = [:]
    /// The help of each family.
    private(set) var helps: [String: String] = [:]
    /// Every sample's value.
    private(set) var values: [Sample: Double] = [:]
    /// The families in their order.
    private(set) var families: [String] = []

    init(_ text: String) throws {
        guard text.isEmpty || text.hasSuffix("\n") else { throw Fault(line: text, reason: "no line feed at the end") }
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
            try read(String(line))
        }
        for family in families { try checkHistogram(family) }
    }

    subscript(name: String, labels: [String: String] = [:]) -> Double? {
        values[Sample(name: name, labels: labels)]
    }

    private mutating func read(_ line: String) throws {
        if line.hasPrefix("# HELP ") {
            let (name, help) = try Self.pair(line, after: "# HELP ")
            guard !families.contains(name) else { throw Fault(line: line, reason: "a family in two pieces") }
            families.append(name)
            helps[name] = help
        } else if line.hasPrefix("# TYPE ") {
            let (name, type) = try Self.pair(line, after: "# TYPE ")
            guard families.last == name, types[name] == nil else {
                throw Fault(line: line, reason: "type out of place")
            }
            guard ["counter", "gauge", "histogram"].contains(type) else { throw Fault(line: line, reason: "type") }
            types[name] = type
        } else {
            try readSample(line)
        }
    }

    private static func pair(_ line: String, after prefix: String) throws -> (String, String) {
        let parts = line.dropFirst(prefix.count).split(separator: " ", maxSplits: 1)
        guard parts.count == 2, isName(parts[0], colons: true) else {
            throw Fault(line: line, reason: "no name and text")
        }
        return (String(parts[0]), String(parts[1]))
    }

    private static func isName(_ name: Substring, colons: Bool) -> Bool {
        guard let first = name.first, !first.isNumber else { return false }
        return name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || (colons && $0 == ":")) }
    }

    private mutating func readSample(_ line: String) throws {
        var rest = line[...]
        let name = rest.prefix { $0 != "{" && $0 != " " }
        rest = rest.dropFirst(name.count)
        guard Self.isName(name, colons: true) else { throw Fault(line: line, reason: "name") }
        var labels: [String: String] = [:]
        if rest.first == "{" { labels = try Self.labels(&rest, line) }
        guard rest.first == " ", let value = Self.number(rest.dropFirst()) else {
            throw Fault(line: line, reason: "value")
        }
        guard let family = families.last, types[family] != nil, belongs(name, to: family) else {
            throw Fault(line: line, reason: "a sample outside its family")
        }
        let sample = Sample(name: String(name), labels: labels)
        guard values.updateValue(value, forKey: sample) == nil else { throw Fault(line: line, reason: "twice") }
        if types[family] == "counter", value < 0 { throw Fault(line: line, reason: "a counter below zero") }
    }

    private func belongs(_ name: Substring, to family: String) -> Bool {
        guard types[family] == "histogram" else { return name == family[...] }
        return ["_bucket", "_sum", "_count"].contains { family + $0 == String(name) }
    }

    private static func labels(_ rest: inout Substring, _ line: String) throws -> [String: String] {
        var labels: [String: String] = [:]
        rest = rest.dropFirst()
        while rest.first != "}" {
            let name = rest.prefix { $0 != "=" }
            rest = rest.dropFirst(name.count)
            guard isName(name, colons: false), rest.hasPrefix("=\"") else { throw Fault(line: line, reason: "label") }
            rest = rest.dropFirst(2)
            guard labels.updateValue(try labelValue(&rest, line), forKey: String(name)) == nil else {
                throw Fault(line: line, reason: "a label twice")
            }
            if rest.first == "," {
                rest = rest.dropFirst()
            } else if rest.first != "}" {
                throw Fault(line: line, reason: "labels do not end")
            }
        }
        rest = rest.dropFirst()
        return labels
    }

    private static func labelValue(_ rest: inout Substring, _ line: String) throws -> String {
        var value = ""
        while let next = rest.popFirst() {
            switch next {
            case "\"": return value
            case "\\":
                let escapes: [Character: Character] = ["\\": "\\", "\"": "\"", "n": "\n"]
                guard let meant = rest.popFirst().flatMap({ escapes[$0] }) else {
                    throw Fault(line: line, reason: "escape")
                }
                value.append(meant)
            default: value.append(next)
            }
        }
        throw Fault(line: line, reason: "a label's value does not end")
    }

    private static func number(_ text: Substring) -> Double? {
        switch text {
        case "NaN": return .nan
        case "+Inf": return .infinity
        case "-Inf": return -.infinity
        default: return text.contains(where: \.isLetter) && !text.contains("e") ? nil : Double(text)
        }
    }

    private func checkHistogram(_ family: String) throws {
        guard types[family] == "histogram" else { return }
        let buckets = values.filter { $0.key.name == family + "_bucket" }
        let series = Set(buckets.keys.map { $0.labels.filter { $0.key != "le" } })
        guard !series.isEmpty else { throw Fault(line: family, reason: "a histogram without buckets") }
        for labels in series {
            let own = buckets.filter { $0.key.labels.filter { $0.key != "le" } == labels }
                .map { (bound: Self.number(($0.key.labels["le"] ?? "")[...]) ?? .nan, count: $0.value) }
                .sorted { $0.bound < $1.bound }
            guard let last = own.last, last.bound == .infinity, last.count == self[family + "_count", labels],
                self[family + "_sum", labels] != nil, zip(own, own.dropFirst()).allSatisfy({ $0.count <= $1.count })
            else { throw Fault(line: family, reason: "a histogram that does not add up") }
        }
    }
}

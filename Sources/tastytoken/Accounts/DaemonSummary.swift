// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// What the daemon says of itself (`GET /v1/status`). Which fields there are is its business: they are shown as they come,
/// so that a new one needs no new tool.
struct DaemonSummary: Equatable {
    /// A field's name in words, and its value.
    struct Field: Equatable {
        let name: String
        let value: String
    }

    /// Fields that are shown at most.
    static let limit = 40

    /// The fields in their order; those of an object within have its name before theirs.
    let fields: [Field]

    /// Reads a reply's body; what is no object has no fields.
    init(_ body: RawJSON) {
        self.fields = Array(Self.fields(of: body, under: "").prefix(Self.limit))
    }

    /// A line a field.
    var lines: [String] {
        FieldList(fields.map { ($0.name, $0.value) }).lines
    }

    /// All fields, as many on a line as it has room for.
    ///
    /// - Parameters:
    ///   - columns: characters that a line has; a field that is longer has one of its own.
    ///   - limit: lines at most; what is left over is left out.
    /// - Returns: the lines.
    func lines(within columns: Int, atMost limit: Int) -> [String] {
        var lines: [String] = []
        for field in fields {
            let text = "\(field.name) \(field.value)"
            if let last = lines.last, last.count + 2 + text.count <= columns {
                lines[lines.count - 1] = "\(last)  \(text)"
            } else {
                lines.append(text)
            }
        }
        return Array(lines.prefix(limit))
    }

    private static func fields(of object: RawJSON, under prefix: String) -> [Field] {
        object.members.flatMap { member in
            let name = prefix + Failure.shown(member.name).replacing("_", with: " ")
            guard let value = member.value.scalar else { return fields(of: member.value, under: name + " ") }
            return [Field(name: name, value: Failure.shown(value))]
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import SocketAPI
import TokenCore
import Yams

/// What the configuration file says, flattened to the table's names, each with the line it stands on.
struct FileSettings {
    /// Values by key.
    private(set) var values: FileSnapshot
    /// What has a structure of its own, by key.
    private(set) var trees: [String: Node] = [:]
    /// What is wrong with the file itself: syntax, unknown keys, a value where a section belongs.
    private(set) var mistakes: [ConfigurationFinding] = []
    /// Keys that stand twice with what each says, so that nobody knows which of the two is meant.
    private(set) var ambiguous: Set<String> = []
    /// Whether the file could be read to its end. If not, it may say what seems to be missing.
    private(set) var isUnderstood = true

    /// The file's path, as it is named in findings.
    var path: String { values.path }

    /// An empty file.
    init(path: String) {
        values = FileSnapshot(path: path)
    }

    /// A file that cannot be read at all.
    init(path: String, unread: FileReading.Failure) {
        self.init(path: path)
        isUnderstood = false
        switch unread {
        case .missing: refuse(nil, line: nil, "does not exist", "correct --config")
        case .unreadable(let reason):
            refuse(nil, line: nil, "cannot be read (\(reason))", "let the daemon's user read it")
        }
    }

    /// Reads YAML. Nothing of the text is quoted in a mistake but keys: a secret may stand in the wrong place.
    init(path: String, bytes: [UInt8]) {
        self.init(path: path)
        guard let text = String(validating: bytes, as: UTF8.self) else {
            isUnderstood = false
            refuse(nil, line: nil, "is not UTF-8 text", "save it as UTF-8")
            return
        }
        do {
            let document = try DuplicateKeys(parsing: text)
            for finding in document.findings { refuse(finding) }
            isUnderstood = document.root != nil || document.findings.isEmpty
            if let root = document.root { readRoot(root) }
        } catch let error as YamlError {
            isUnderstood = false
            readFailure(error)
        } catch {
            isUnderstood = false
            refuse(nil, line: nil, "is not YAML", "check its syntax")
        }
    }

    /// Where something with a structure of its own begins; nil if it is not there.
    func place(ofTree name: String) -> SettingPlace? {
        trees[name].map { .file(path, line: $0.mark?.line) }
    }

    private mutating func readRoot(_ root: Node) {
        if root.isNull { return }
        guard case .mapping(let mapping) = root else {
            return refuse(nil, line: root.mark?.line, "holds no keys", "write sections with keys, as in config.yaml")
        }
        read(mapping, under: "")
    }

    private mutating func read(_ mapping: Node.Mapping, under prefix: String) {
        for (keyNode, value) in mapping {
            guard let key = keyNode.scalar.map({ DuplicateKeys.name(ofKey: $0.string) }) else {
                refuse(nil, line: keyNode.mark?.line, "a key is not a name", "write names as keys")
                continue
            }
            guard !key.contains(".") else {
                refuse(prefix + key, line: keyNode.mark?.line, "is no known key", "write the parts as sections")
                continue
            }
            read(value, as: prefix + key, line: keyNode.mark?.line)
        }
    }

    private mutating func read(_ node: Node, as name: String, line: Int?) {
        if let key = ConfigurationKey.byName[name] {
            return read(node, as: key, line: line)
        }
        guard ConfigurationKey.all.contains(where: { $0.name.hasPrefix(name + ".") }) else {
            let meant = Spelling.nearest(to: name, among: Self.sectionsAndKeys)
            return refuse(name, line: line, "is no known key", meant.map { "did you mean \($0)?" } ?? "remove it")
        }
        switch node {
        case .mapping(let section): read(section, under: name + ".")
        case _ where node.isNull: break
        default: refuse(name, line: line, "is a section", "put its keys below it, indented")
        }
    }

    private mutating func read(_ node: Node, as key: ConfigurationKey, line: Int?) {
        let line = node.mark?.line ?? line
        if values.entries[key.name] != nil || trees[key.name] != nil { ambiguous.insert(key.name) }
        switch (key.shape, node) {
        case (.tree, _):
            trees[key.name] = node
        case _ where node.isNull:
            refuse(key.name, line: line, "has no value", "give it one, or remove the line")
        case (_, .scalar(let scalar)):
            values.entries[key.name] = FileSnapshot.Entry(value: .text(scalar.string), line: line)
        case (.list, .sequence(let sequence)):
            let texts = sequence.compactMap(\.scalar?.string)
            guard texts.count == sequence.count else { fallthrough }
            values.entries[key.name] = FileSnapshot.Entry(value: .list(texts), line: line)
        default:
            let wanted = key.shape == .list ? "a list of plain values" : "one plain value"
            refuse(key.name, line: line, "is not \(wanted)", "write \(wanted) behind the key")
        }
    }

    private mutating func readFailure(_ error: YamlError) {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            refuse(nil, line: mark.line, "is not YAML (\(problem))", "check quotes, colons and indentation there")
        case .duplicatedKeysInMapping(let names, let context):
            refuse(DuplicateKeys.Finding(names: names.map(DuplicateKeys.name(ofKey:)), line: context.mark.line))
        default:
            refuse(nil, line: nil, "is not YAML", "check its syntax")
        }
    }

    private mutating func refuse(_ finding: DuplicateKeys.Finding) {
        let names = finding.names.map { "\"\(SafeText($0, toBytes: SafeText.codeLimit))\"" }.joined(separator: ", ")
        refuse(nil, line: finding.line, "says \(names) more than once", "keep one of them")
    }

    private mutating func refuse(_ key: String?, line: Int?, _ problem: String, _ remedy: String) {
        mistakes.append(
            ConfigurationFinding(
                place: .file(path, line: line),
                key: key.map { SafeText($0, toBytes: 80).text },
                problem: problem,
                remedy: remedy
            )
        )
    }

    /// Everything that may stand before a colon, sections included.
    private static let sectionsAndKeys: [String] = {
        var names: Set<String> = []
        for key in ConfigurationKey.all {
            let parts = key.name.split(separator: ".")
            for count in 1...parts.count { names.insert(parts.prefix(count).joined(separator: ".")) }
        }
        return names.sorted()
    }()
}

extension Node {
    /// Whether nothing, or YAML's word for nothing, stands here.
    fileprivate var isNull: Bool {
        guard case .scalar(let scalar) = self, scalar.style == .plain || scalar.style == .any else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(scalar.string)
    }
}

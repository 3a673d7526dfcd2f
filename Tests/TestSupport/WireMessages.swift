// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// Finds the messages in one direction of PostgreSQL's protocol, in whatever pieces they come. Of a message's body it
/// keeps no more than what it is looked into for.
struct WireMessages {
    /// A message: its type, and the beginning of its body.
    struct Message {
        /// The letter that says what it is; nil for a client's first message, which has none.
        let type: UInt8?
        /// As much of what follows the length as is kept.
        let body: [UInt8]
    }

    /// A statement's text is never longer in the daemon.
    private static let keptBytes = 65_536

    private var header: [UInt8] = []
    private var headerSize: Int
    private var body: [UInt8] = []
    private var missing = 0

    /// - Parameter beginsUntyped: whether the first message has no type, as a client's has.
    init(beginsUntyped: Bool) {
        headerSize = beginsUntyped ? 4 : 5
    }

    /// Takes bytes, and gives the messages that end in them.
    mutating func take(_ bytes: some Collection<UInt8>) -> [Message] {
        var messages: [Message] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            if header.count < headerSize {
                let part = rest.prefix(headerSize - header.count)
                header += part
                rest = rest.dropFirst(part.count)
                guard header.count == headerSize else { break }
                missing = max(0, header.suffix(4).reduce(0) { $0 << 8 | Int($1) } - 4)
            }
            let part = rest.prefix(missing)
            body += part.prefix(max(0, Self.keptBytes - body.count))
            missing -= part.count
            rest = rest.dropFirst(part.count)
            if missing == 0 { messages.append(finish()) }
        }
        return messages
    }

    private mutating func finish() -> Message {
        defer { (header, headerSize, body) = ([], 5, []) }
        return Message(type: headerSize == 5 ? header.first : nil, body: body)
    }
}

extension WireMessages.Message {
    /// Whether it brings a statement's text to the server with these words in it.
    func isStatement(with words: [UInt8]) -> Bool {
        (type == UInt8(ascii: "Q") || type == UInt8(ascii: "P")) && body.contains(words)
    }

    /// Whether the server says with it that it waits for the next statement: true outside of a transaction, so that what
    /// came before is committed; nil if it says something else.
    var isIdle: Bool? {
        type == UInt8(ascii: "Z") ? body.first == UInt8(ascii: "I") : nil
    }
}

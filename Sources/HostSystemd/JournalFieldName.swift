// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// The name of a journal field made from a metadata key: `user.id` becomes `USER_ID` (systemd.journal-fields(7)).
struct JournalFieldName: Hashable, Sendable {
    /// The name, fit for the journal.
    let text: String

    /// Maps a key. Nil if nothing of it can be used. A name that the journal or the handler gives a meaning of their
    /// own is put behind `FIELD_`, so that metadata never changes what a record claims to be.
    init?(metadataKey key: String) {
        var name = String(decoding: key.unicodeScalars.map(Self.allowed), as: UTF8.self)
        // A leading underscore marks fields that only the journal itself may write.
        name = String(name.drop { $0 == "_" })
        guard let first = name.first else { return nil }
        if first.isNumber || Self.isReserved(name) { name = "FIELD_" + name }
        self.text = String(name.prefix(64))
    }

    private static func allowed(_ scalar: Unicode.Scalar) -> UInt8 {
        switch scalar {
        case "a"..."z": UInt8(ascii: scalar) - 32
        case "A"..."Z", "0"..."9": UInt8(ascii: scalar)
        default: UInt8(ascii: "_")
        }
    }

    private static func isReserved(_ name: String) -> Bool {
        reserved.contains(name) || reservedPrefixes.contains { name.hasPrefix($0) }
    }

    private static let reserved: Set<String> = [
        "CODE_FILE", "CODE_FUNC", "CODE_LINE", "DOCUMENTATION", "ERRNO", "INVOCATION_ID", "LOGGER", "MESSAGE",
        "MESSAGE_ID", "PRIORITY", "TID", "UNIT", "USER_INVOCATION_ID", "USER_UNIT",
    ]

    private static let reservedPrefixes = ["COREDUMP_", "OBJECT_", "SYSLOG_"]
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import CLibPQ
package import TokenCore

/// Why a connection string cannot be used; never quotes it.
package struct ConnectionStringFault: Error, Hashable, Sendable {
    /// Why, in words.
    package let reason: String
}

/// Takes an operator's connection string apart (libpq manual, section 34.1.1), without connecting anywhere.
package enum ConnectionString {
    /// How one is written.
    package static let form =
        "postgresql://USER:PASSWORD@HOST:PORT/DATABASE, with special characters percent-encoded, or as KEYWORD=VALUE pairs"

    /// Its keywords with their values, those that it names.
    package static func options(of text: Secret) throws(ConnectionStringFault) -> [String: String] {
        var words: UnsafeMutablePointer<CChar>?
        guard let list = PQconninfoParse(text.reveal(), &words) else {
            defer { PQfreemem(words) }
            throw fault(words.map { String(cString: $0) } ?? "")
        }
        defer { PQconninfoFree(list) }
        var options: [String: String] = [:]
        var entry = list
        while let keyword = entry.pointee.keyword {
            if let value = entry.pointee.val { options[String(cString: keyword)] = String(cString: value) }
            entry += 1
        }
        try checkSpelling(of: text, options)
        return options
    }

    /// Refuses what libpq takes apart at the wrong place: it would go on with a piece of the password for a port, a
    /// host or a database, and show it in its failures.
    private static func checkSpelling(
        of text: Secret,
        _ options: [String: String]
    ) throws(ConnectionStringFault) {
        let ports = options["port"]?.split(separator: ",") ?? []
        guard ports.allSatisfy({ UInt16($0) != nil }) else { throw fault("the port is not a number") }
        let parts = text.reveal().split(separator: "://", maxSplits: 1)
        guard parts.count == 2, parts[0] == "postgres" || parts[0] == "postgresql" else { return }
        let authorityAndPath = parts[1].prefix { $0 != "?" }
        let path = authorityAndPath.drop { $0 != "/" }
        guard !path.contains("@"), authorityAndPath.count(where: { $0 == "@" }) <= 1 else {
            throw fault("an @ stands where none can be")
        }
    }

    /// libpq quotes the string, or the part of it that it stumbled over: only what stands before the quotation is used.
    private static func fault(_ words: String) -> ConnectionStringFault {
        ConnectionStringFault(reason: String(words.prefix { $0 != "\"" }.trimmingSuffix { !$0.isLetter }))
    }
}

extension Substring {
    fileprivate func trimmingSuffix(_ isUnwanted: (Character) -> Bool) -> Substring {
        var rest = self
        while let last = rest.last, isUnwanted(last) { rest.removeLast() }
        return rest
    }
}

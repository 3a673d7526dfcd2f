// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import SocketAPI

/// What is to be known of a link to the web pages by whoever is to open it.
struct LinkAdvice: Equatable {
    /// Whether it is a link that a terminal may be given.
    let isWellFormed: Bool
    /// The words, a line each.
    let lines: [String]

    /// Looks at a link.
    ///
    /// - Parameters:
    ///   - reply: the link, as the daemon gave it.
    ///   - now: the present, in microseconds since 1970.
    ///   - connection: `SSH_CONNECTION` (ssh(1)): the caller's address and port, and this host's; nil for who is not here by SSH.
    init(_ reply: LinkReply, atMicroseconds now: Int64, connection: String?) {
        isWellFormed = TerminalFlow.isAddress(reply.link)
        lines = [Self.duration(of: reply, now)] + (Self.tunnel(to: reply.link, connection).map { [$0] } ?? [])
    }

    private static func duration(of reply: LinkReply, _ now: Int64) -> String {
        let end = Timestamp.microseconds(reply.expiresAt)
        let seconds = end.map { " (\(max(($0 - now) / 1_000_000, 0)) s)" } ?? ""
        return "the link signs in once, until \(Failure.shown(reply.expiresAt))\(seconds)"
    }

    /// How a browser elsewhere comes to pages that only this host reaches.
    private static func tunnel(to link: String, _ connection: String?) -> String? {
        guard let (host, port) = loopback(of: link) else { return nil }
        let words = connection?.split(separator: " ") ?? []
        guard words.count == 4, words.allSatisfy({ $0.allSatisfy(isPartOfAddress) }) else { return nil }
        let door = words[3] == "22" ? "" : "-p \(words[3]) "
        return "it leads to this host alone; to open it in a browser where you came from, first run there: "
            + "ssh -N -L \(port):\(host):\(port) \(door)\(words[2])"
    }

    /// Host and port of a link that leads to the host where it is opened; nil for another link.
    private static func loopback(of link: String) -> (host: Substring, port: Int)? {
        guard let separator = link.firstRange(of: "://") else { return nil }
        let authority = link[separator.upperBound...].prefix { $0 != "/" && $0 != "?" }
        let isBracketed = authority.hasPrefix("[")
        let end =
            isBracketed ? authority.firstIndex(of: "]").map(authority.index(after:)) : authority.firstIndex(of: ":")
        let host = authority[..<(end ?? authority.endIndex)]
        let numbers = host.split(separator: ".", omittingEmptySubsequences: false)
        let isLoopback =
            host == "localhost" || host == "[::1]"
            || (numbers.count == 4 && numbers[0] == "127" && numbers.allSatisfy { UInt8($0) != nil })
        guard isLoopback else { return nil }
        let digits = authority[host.endIndex...].dropFirst()
        guard !digits.isEmpty else { return (host, link.hasPrefix("https") ? 443 : 80) }
        return Int(digits).map { (host, $0) }
    }

    private static func isPartOfAddress(_ character: Character) -> Bool {
        character.isASCII && (character.isLetter || character.isNumber || ".:%-_".contains(character))
    }
}

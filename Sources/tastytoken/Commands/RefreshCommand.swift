// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import ArgumentParser
import SocketAPI

/// `tastytoken refresh USER`: a new token, whatever the one at hand has left.
struct RefreshCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "refresh",
        abstract: "Have a user's token refreshed now.",
        discussion: """
            The daemon refreshes by itself, long before a token dies; this is for a token that TastyTrade rejects although \
            it should live. It says until when the new token lives and does not print it: tastytoken token does.

            EXAMPLES
              tastytoken refresh 42 && tastytoken token 42
              tastytoken refresh 42 --if-match "$etag"  # unless it was replaced since
            """
    )

    @OptionGroup var subject: UserArgument
    @Option(
        help: ArgumentHelp("How long to wait for the new token; 10 unless given, at most 60.", valueName: "seconds")
    )
    var maxWait: Int?
    @Option(
        help: ArgumentHelp(
            "Refresh only if this is still the current token: the ETag that came with it over the socket.",
            valueName: "etag"
        )
    )
    var ifMatch: String?
    @Flag(help: "Print the reply as JSON, without the token.")
    var json = false
    @OptionGroup var socket: SocketOption

    func validate() throws {
        if let maxWait, maxWait < 0 { throw ValidationError("--max-wait must be 0 or more.") }
        if let ifMatch, !ifMatch.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) || ifMatch.isEmpty {
            throw ValidationError("--if-match must be an ETag, quotes included.")
        }
    }

    /// What the daemon is asked.
    var request: SocketRequest {
        SocketRequest(
            method: .post,
            target: APIPath.refresh(of: subject.user, maximumWait: maxWait),
            fields: ifMatch.map { [("If-Match", $0)] } ?? []
        )
    }

    func run() throws {
        try Console.carryingOut { () throws(Failure) in
            let user = subject.user
            let reply = try socket.client.ask(request, within: min(maxWait ?? 10, 60) + SocketClient.patience)
            let answer = try TokenAnswer(reply, of: user)
            if let shortcoming = answer.shortcoming(of: user) { Console.warn(shortcoming) }
            Console.print(json ? answer.jsonWithoutToken : answer.announcement(for: user))
        }
    }
}

extension TokenAnswer {
    /// The reply's fields but for the token, on one line.
    var jsonWithoutToken: String {
        RawJSON(Array(json.utf8)[...]).line(without: TokenReply.CodingKeys.accessToken.rawValue)
    }

    /// How long the token lives, in words.
    func announcement(for user: String) -> String {
        "user \(Failure.shown(user)) has a token that lives until \(Failure.shown(token.expiresAt)) (\(token.expiresIn) s)"
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import ArgumentParser
import Glibc
import SocketAPI

/// `tastytoken watch USER`: each new token as a line, for a program that keeps one at hand.
struct WatchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch",
        abstract: "Print each new access token of a user as a JSON line.",
        discussion: """
            Begins with the token at hand, and ends only when it is ended, when nobody reads it any more, or when there \
            will be no token: no such user (67), not allowed (77), the grant needs a person (78). A daemon that is away, or \
            not there yet, or has no live token now is waited for; standard error says so. A socket that may not be opened \
            (77), or a path where there can be none (69), ends it at the start.

            EXAMPLES
              tastytoken watch 42 | while read -r line; do …; done
              tastytoken watch 42 | jq --unbuffered -r .expires_at
            """
    )

    @OptionGroup var subject: UserArgument
    @Flag(help: "Accepted as everywhere; the lines are JSON in any case.")
    var json = false
    @OptionGroup var socket: SocketOption

    func run() throws {
        try Console.carryingOut { () throws(Failure) in
            try Self.follow(TokenFollower(user: subject.user), by: socket.client)
        }
    }

    /// Asks again and again, prints what comes, and pauses where nothing does.
    private static func follow(_ start: TokenFollower, by client: SocketClient) throws(Failure) {
        var follower = start
        while true {
            let step = try next(&follower, client)
            if let remark = step.remark { Console.warn(remark) }
            if let line = step.line { Console.print(line) }
            Console.pause(milliseconds: step.pause)
        }
    }

    private static func next(_ follower: inout TokenFollower, _ client: SocketClient) throws(Failure) -> FollowStep {
        let begin = Deadline.now
        let chance = Double.random(in: 0..<1)
        let reply: HTTPReply
        do throws(Failure) {
            let patience = TokenFollower.longestWait + SocketClient.patience
            reply = try client.ask(follower.request, within: patience, waiting: Console.pollWhileRead)
        } catch {
            return try follower.lost(error, chance: chance)
        }
        return try follower.take(reply, after: Int(Deadline.now - begin), chance: chance)
    }
}

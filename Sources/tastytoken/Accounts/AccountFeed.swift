// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Glibc
import SocketAPI

/// Prints every change of the accounts as a line, for whoever reads a pipe; ends with its reader, and outlives the daemon.
struct AccountFeed {
    private let scope: AccountScope
    private let client: SocketClient
    private let isJSON: Bool
    private var table = AccountTable(.absolute, inColour: false)
    private var changes = AccountChanges()
    private var outage = Outage(of: "watching")
    private var hasHeading = false
    private var hasBeenAnswered = false
    /// Whether the last request has no answer yet.
    private var isAsking = false

    /// A feed of the accounts in scope, in JSON or as rows of a table.
    init(_ scope: AccountScope, _ client: SocketClient, asJSON isJSON: Bool) {
        self.scope = scope
        self.client = client
        self.isJSON = isJSON
    }

    /// Goes on until it is ended.
    ///
    /// - Throws: what will be the same the next time; and what keeps it from a first answer and will not pass.
    func run() throws(Failure) {
        var feed = self
        while true {
            Console.pause(milliseconds: try feed.turn())
        }
    }

    /// Reads the accounts once; gives the milliseconds until the next time.
    private mutating func turn() throws(Failure) -> Int {
        let begin = Deadline.now
        do throws(Failure) {
            try read()
        } catch {
            return try endure(error)
        }
        hasBeenAnswered = true
        if let remark = outage.end() { Console.warn(remark) }
        return ReadingInterval.milliseconds(after: Int(Deadline.now - begin))
    }

    private mutating func read() throws(Failure) {
        var pass = AccountPass(scope)
        while !pass.isOver {
            isAsking = true
            let patience = SocketClient.patience
            let reply = try client.ask(pass.request, within: patience, waiting: Console.pollWhileRead)
            isAsking = false
            show(changes.take(try pass.take(reply)))
        }
        for user in changes.finish() {
            Console.print(isJSON ? Self.removal(of: user) : "\(Failure.shown(user))  removed")
        }
    }

    private mutating func show(_ entries: [AccountPage.Entry]) {
        guard !isJSON else {
            for entry in entries { Console.print(entry.json.line) }
            return
        }
        table.widen(for: entries.map(\.status))
        if !hasHeading { Console.print(table.heading) }
        hasHeading = true
        for entry in entries { Console.print(table.row(entry.status)) }
    }

    /// A daemon that is away is waited for, from the start too, and so is one that says that it has no answer now; what keeps
    /// everybody from a first answer is not.
    private mutating func endure(_ failure: Failure) throws(Failure) -> Int {
        changes.giveUp()
        guard failure.isPassing || (isAsking && hasBeenAnswered) else { throw failure }
        let course = outage.unanswered(failure, chance: .random(in: 0..<1))
        if let remark = course.remark { Console.warn(remark) }
        return course.pause
    }

    /// An account that is not listed any more has no status.
    private static func removal(of user: String) -> String {
        var text = JSONText()
        text.add(StatusReply.CodingKeys.user.rawValue, user)
        text.add(StatusReply.CodingKeys.status.rawValue, nil as String?)
        text.close()
        return String(decoding: text.bytes, as: UTF8.self)
    }
}

/// How often accounts are read.
enum ReadingInterval {
    /// Milliseconds from one reading to the next: a second, and more where reading takes so long that it would be a burden.
    static func milliseconds(after lastReading: Int) -> Int {
        max(1000, lastReading * 9)
    }
}

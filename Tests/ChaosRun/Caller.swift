// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import TestSupport
import TokenSimulator

/// Asks one daemon for every account's token again and again, on a thread of its own, and looks at each that it gets.
struct Caller {
    private struct Held {
        let token: String
        let expiresAt: Double
    }

    private static let pause = 0.15
    /// So many looks at all tokens come to one at those who need a person.
    private static let looksBetween = 4

    private let stage: Stage
    private let daemon: ChaosDaemon
    private let accounts: ClosedRange<Int>
    private var held: [Int: Held] = [:]
    private var watch: GapWatch
    private var said: [Int: String] = [:]

    init(_ stage: Stage, _ daemon: ChaosDaemon) {
        (self.stage, self.daemon) = (stage, daemon)
        accounts = 1...stage.settings.accounts
        watch = GapWatch(daemon: daemon.number)
    }

    /// Asks until the run is finished.
    static func run(_ stage: Stage, _ daemon: ChaosDaemon) {
        var caller = Caller(stage, daemon)
        var count = 0
        while !stage.isFinished {
            caller.look()
            count += 1
            if count.isMultiple(of: looksBetween) { caller.lookForEndings() }
            Thread.sleep(forTimeInterval: pause)
        }
        caller.watch.finish(at: stage.now)
        let gaps = caller.watch.gaps
        stage.note { $0.gaps += gaps }
    }

    private mutating func look() {
        let began = stage.now
        do {
            var probe = try SocketProbe(at: daemon.socket)
            let paths = accounts.map { "/v1/users/\($0)/token?min_ttl=0&max_wait=0" }
            let replies = try probe.get(paths, headers: ["Accept: text/plain"])
            let ended = stage.now
            for (account, reply) in zip(accounts, replies) { take(reply, of: account, began, ended) }
        } catch {
            let ended = stage.now
            for account in accounts {
                watch.note(.none("\(error)"), of: account, began: began, ended: ended)
            }
        }
        let count = accounts.count
        stage.note { $0.looks += count }
    }

    private mutating func take(_ reply: SocketProbe.Reply, of account: Int, _ began: Double, _ ended: Double) {
        guard reply.status == 200 else {
            let code: String? = reply.member("code")
            return watch.note(.none("\(reply.status) \(code ?? "")"), of: account, began: began, ended: ended)
        }
        if held[account]?.token != reply.body {
            guard let facts = stage.installation.simulator.facts(ofToken: reply.body), facts.user == "\(account)" else {
                let words = "daemon \(daemon.number) handed out what is no token of account \(account)"
                return stage.note { $0.troubles.append(words) }
            }
            held[account] = Held(token: reply.body, expiresAt: stage.seconds(facts.expiresAt))
            stage.note { _ = $0.seen.insert(facts.id) }
        }
        guard let held = held[account] else { return }
        // What dies between question and answer nobody could know.
        guard held.expiresAt <= began else { return watch.note(.live, of: account, began: began, ended: ended) }
        let dead = Evidence.DeadToken(
            at: began,
            daemon: daemon.number,
            account: account,
            deadFor: began - held.expiresAt
        )
        stage.note { $0.deadTokens.append(dead) }
        watch.note(.none("a dead token"), of: account, began: began, ended: ended)
    }

    /// Notes whom a daemon says to need a person, once for each time that it comes to that.
    private mutating func lookForEndings() {
        let path = "/v1/users?status=unknown_outcome,reauthorization_required&limit=1000"
        guard let reply = try? SocketProbe.get(path, at: daemon.socket), reply.status == 200 else { return }
        let users: [[String: Any]] = reply.member("users", as: [[String: Any]].self) ?? []
        let standing = users.compactMap { user -> (Int, String)? in
            guard let account = (user["user"] as? String).flatMap({ Int($0) }), let status = user["status"] as? String
            else { return nil }
            return (account, status)
        }
        let now = stage.now
        for (account, status) in standing where said[account] != status {
            let ending = Evidence.Ending(at: now, account: account, status: status)
            stage.note { $0.endings.append(ending) }
        }
        said = Dictionary(standing) { first, _ in first }
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Glibc
import SocketAPI

/// The accounts on a terminal, drawn anew every second, until a key or a signal ends it.
final class LiveTable {
    private static let endings = [SIGINT, SIGTERM, SIGHUP, SIGQUIT]

    private let client: SocketClient
    private let terminal = Terminal()
    private let isColourful = Console.isColourful
    private var content: LiveFrame.Content
    private var outage = Outage(of: "watching")
    private var reading: Reading?
    private var nextReading = Deadline(after: 0)
    private var nextFrame = Deadline(after: 0)
    private var asksForSummary = true

    private struct Reading {
        var pass: AccountPass
        var board = AccountBoard()
        var exchange: SocketExchange
        var patience: Deadline
        let begin = Deadline.now
    }

    /// A table of the accounts in scope.
    init(_ scope: AccountScope, _ client: SocketClient) {
        self.client = client
        self.content = LiveFrame.Content(scope: scope)
    }

    /// Goes on until it is ended.
    ///
    /// - Throws: what will be the same the next time; before anything is drawn, also what keeps it from a first answer and
    ///   will not pass.
    func run() throws(Failure) -> Ending {
        try readFirst()
        let signals = try SignalQueue(Self.endings + [SIGWINCH, SIGTSTP, SIGCONT])
        terminal.enter()
        defer { terminal.leave() }
        while true {
            if nextFrame.isOver { draw() }
            if reading == nil, nextReading.isOver { begin() }
            if let ending = try turn(signals) { return ending }
        }
    }

    private func draw() {
        let frame = LiveFrame(content, size: terminal.size, inColour: isColourful, at: WallClock.now)
        terminal.show(frame.lines)
        // Just after the next second has begun, so that a countdown leaves out none.
        nextFrame = Deadline(afterMilliseconds: 1000 - Int(WallClock.now / 1000 % 1000))
    }

    /// Waits for whatever comes first, and takes it.
    private func turn(_ signals: SignalQueue) throws(Failure) -> Ending? {
        let nothing = pollfd(fd: -1, events: 0, revents: 0)
        var entries = [signals.interest, terminal.interest, reading?.exchange.interest ?? nothing]
        let end = min(nextFrame, reading?.patience ?? nextReading)
        _ = poll(&entries, nfds_t(entries.count), end.millisecondsLeft)
        if entries[0].revents != 0, let ending = take(signals.next()) { return ending }
        if entries[1].revents != 0, terminal.keys().contains(where: Self.isEnd) { return .done }
        if entries[2].revents != 0 { try advance() }
        if let reading, reading.patience.isOver { bear(.silent(at: client.path)) }
        return nil
    }

    private static func isEnd(_ key: UInt8) -> Bool {
        key == UInt8(ascii: "q") || key == UInt8(ascii: "Q")
    }

    private func take(_ signal: Int32?) -> Ending? {
        guard let signal else { return nil }
        if Self.endings.contains(signal) { return .signal(signal) }
        if signal == SIGTSTP {
            terminal.leave()
            raise(SIGSTOP)
        }
        if signal == SIGCONT { terminal.enter() }
        nextFrame = Deadline(after: 0)
        return nil
    }
}

extension LiveTable {
    /// Reads the accounts once, as a command that ends would: what is wrong from the start is told where it stays.
    private func readFirst() throws(Failure) {
        do throws(Failure) {
            var pass = AccountPass(content.scope, withSummary: true)
            var board = AccountBoard()
            while !pass.isOver {
                board.add(try pass.take(client.ask(pass.request, within: SocketClient.patience)).map(\.status))
            }
            finish(pass, board, took: 0)
        } catch {
            guard error.isPassing else { throw error }
            bear(error)
        }
    }

    private func begin() {
        do throws(Failure) {
            let pass = AccountPass(content.scope, withSummary: asksForSummary)
            let patience = Deadline(after: SocketClient.patience)
            let exchange = try SocketExchange(pass.request, at: client.path, before: Deadline(after: 1))
            reading = Reading(pass: pass, exchange: exchange, patience: patience)
        } catch {
            bear(error)
        }
    }

    private func advance() throws(Failure) {
        guard var reading else { return }
        let reply: HTTPReply?
        do throws(Failure) {
            reply = try reading.exchange.advance()
        } catch {
            return bear(error)
        }
        guard let reply else { return }
        try take(reply, &reading)
    }

    private func take(_ reply: HTTPReply, _ reading: inout Reading) throws(Failure) {
        do throws(Failure) {
            reading.board.add(try reading.pass.take(reply).map(\.status))
        } catch {
            guard error.exit == .tryLater else { throw error }
            return bear(error)
        }
        guard !reading.pass.isOver else {
            return finish(reading.pass, reading.board, took: Int(Deadline.now - reading.begin))
        }
        proceed(reading)
    }

    private func proceed(_ reading: Reading) {
        var reading = reading
        do throws(Failure) {
            reading.exchange = try SocketExchange(reading.pass.request, at: client.path, before: Deadline(after: 1))
            reading.patience = Deadline(after: SocketClient.patience)
            self.reading = reading
        } catch {
            bear(error)
        }
    }

    private func finish(_ pass: AccountPass, _ board: AccountBoard, took: Int) {
        _ = outage.end()
        if pass.isSummaryRefused { asksForSummary = false }
        content.board = board
        content.summary = pass.summary
        content.trouble = nil
        content.readAt = WallClock.now
        wait(milliseconds: ReadingInterval.milliseconds(after: took))
    }

    private func bear(_ failure: Failure) {
        content.trouble = failure.text
        wait(milliseconds: outage.unanswered(failure, chance: .random(in: 0..<1)).pause)
    }

    private func wait(milliseconds: Int) {
        reading = nil
        nextReading = Deadline(afterMilliseconds: milliseconds)
        nextFrame = Deadline(after: 0)
    }
}

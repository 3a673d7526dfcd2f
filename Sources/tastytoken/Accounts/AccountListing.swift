// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import SocketAPI

/// Prints all accounts once, page by page as they come, so that it holds no more than a page however many there are.
struct AccountListing {
    private let scope: AccountScope
    private let isJSON: Bool

    /// A listing of accounts in JSON, or as a table.
    init(_ scope: AccountScope, asJSON isJSON: Bool) {
        self.scope = scope
        self.isJSON = isJSON
    }

    /// Prints the accounts of that daemon.
    func print(from client: SocketClient) throws(Failure) {
        try isJSON ? printJSON(client) : printTable(client)
    }

    /// The list in the form of a reply, as if it had all come in one page: an account a line, so that it can be compared.
    private func printJSON(_ client: SocketClient) throws(Failure) {
        var pass = AccountPass(scope)
        var lead = "{\"users\":[\n"
        repeat {
            for entry in try client.next(of: &pass) {
                Console.print(lead + entry.json.line, terminator: "")
                lead = ",\n"
            }
        } while !pass.isOver
        Console.print((lead == ",\n" ? "" : lead) + "\n],\"next\":null}")
    }

    private func printTable(_ client: SocketClient) throws(Failure) {
        let isForPeople = Console.isTerminal
        var pass = AccountPass(scope, withSummary: isForPeople)
        var table = AccountTable(isForPeople ? .relative(to: WallClock.now) : .absolute, inColour: Console.isColourful)
        var board = AccountBoard()
        if isForPeople, scope == .all {
            _ = try client.next(of: &pass)
            pass.summary.map { Console.print($0.lines.joined(separator: "\n") + "\n") }
        }
        repeat {
            let accounts = try client.next(of: &pass).map(\.status)
            table.widen(for: accounts)
            if board.total == 0 { Console.print(table.heading) }
            for account in accounts { Console.print(table.row(account)) }
            board.add(accounts)
        } while !pass.isOver
        if isForPeople { Console.print("\n" + board.summary) }
    }
}

extension SocketClient {
    /// Asks for what comes next in a reading of accounts.
    fileprivate func next(of pass: inout AccountPass) throws(Failure) -> [AccountPage.Entry] {
        try pass.take(ask(pass.request, within: Self.patience))
    }
}

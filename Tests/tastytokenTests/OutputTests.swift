// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import SocketAPI
import Testing

@testable import tastytoken

@Suite struct CountdownTests {
    private static let now: Int64 = 1_767_225_600_000_000

    @Test(arguments: [
        (0, "now"), (59, "in 59s"), (60, "in 1m00s"), (843, "in 14m03s"), (7505, "in 2h05m"), (183_600, "in 2d03h"),
        (-1, "1s ago"), (-3600, "1h00m ago"),
    ])
    func theTwoUnitsThatMatterAreTold(seconds: Int64, text: String) {
        let time = Timestamp.text(microseconds: Self.now + seconds * 1_000_000)
        #expect(Countdown.text(time, at: Self.now) == text)
    }

    @Test func whatIsNoTimeIsShownAsItIs() {
        #expect(Countdown.text("soon\u{1B}", at: Self.now) == "soon?")
        #expect(Countdown.text(nil, at: Self.now) == "-")
    }
}

@Suite struct RawJSONTests {
    private func json(_ text: String) -> RawJSON { RawJSON(Array(text.utf8)[...]) }

    @Test func membersAreTakenOutToTheLetter() {
        let object = json(#" { "a" : "x\"},{" , "b":[1, {"c":"]"}],"d\u0041":null, "e" : -1.5e3 } "#)
        #expect(object.members.map(\.name) == ["a", "b", "dA", "e"])
        #expect(object.members.map(\.value.line) == [#""x\"},{""#, #"[1, {"c":"]"}]"#, "null", "-1.5e3"])
        #expect(object.members.map(\.value.scalar) == [#"x"},{"#, nil, nil, "-1.5e3"])
        #expect(object["b"]?.elements.map(\.line) == ["1", #"{"c":"]"}"#])
        #expect(object.line(without: "b") == #"{"a" : "x\"},{","d\u0041":null,"e" : -1.5e3}"#)
    }

    @Test func linesEndsBetweenPartsBecomeSpaces() {
        #expect(json("{\n \"a\": \"b\\n\",\r\n \"c\": 1}\n").line == #"{  "a": "b\n",   "c": 1}"#)
    }

    @Test(arguments: [
        "", " ", "{}", "[]", "{", "[", "}", "\"", "{\"", "{\"a", "{\"a\"", "{\"a\":", "[,]", "{,}", "1", "\"\\",
    ])
    func whatIsBrokenOrEmptyHasNoParts(text: String) {
        let value = json(text)
        #expect(value.members.isEmpty)
        #expect(value.elements.allSatisfy { $0.line.isEmpty })
        _ = (value.line, value.line(without: "a"), value["a"])
    }
}

@Suite struct DaemonSummaryTests {
    @Test func whateverFieldsThereAreAreShown() {
        let body =
            #"{"ready":true,"accounts":{"active":4,"reauthorization_required":1},"changes":"told\u001b","list":[1],"none":null}"#
        let summary = DaemonSummary(RawJSON(Array(body.utf8)[...]))
        let fields = ["ready true", "accounts active 4", "accounts reauthorization required 1", "changes told?"]
        #expect(summary.lines(within: 120, atMost: 9) == [fields.joined(separator: "  ")])
        let halves = [fields[0] + "  " + fields[1], fields[2], fields[3]]
        #expect(summary.lines(within: 40, atMost: 9) == halves)
        #expect(summary.lines(within: 40, atMost: 2) == Array(halves.prefix(2)))
        #expect(summary.lines(within: 5, atMost: 9) == fields)
        #expect(summary.lines[0] == "ready" + String(repeating: " ", count: 30) + "true")
        #expect(DaemonSummary(RawJSON([])).lines == [])
    }
}

@Suite struct AccountBoardTests {
    private func account(_ user: String, _ status: String, _ expiresAt: Int64?) -> StatusReply {
        StatusReply(
            user: user,
            status: status,
            environment: "sandbox",
            client: "default",
            expiresAtMicroseconds: expiresAt,
            lastRefreshedAtMicroseconds: nil,
            nextRefreshAtMicroseconds: nil,
            consecutiveFailures: 0,
            lastError: nil
        )
    }

    @Test func theMostUrgentAccountsStandFirst() {
        var board = AccountBoard()
        board.add([account("a", "active", 50), account("b", "degraded", 90), account("c", "refreshing", 40)])
        board.add([
            account("d", "no_grant", nil), account("e", "expired", 10), account("f", "new_word", nil),
            account("g", "active", 50),
        ])
        #expect(board.accounts.map(\.user) == ["f", "e", "b", "d", "c", "a", "g"])
        #expect(board.summary == "7 accounts: 1 expired, 1 new_word, 1 degraded, 1 no_grant, 2 active, 1 refreshing")
        #expect(AccountBoard().summary == "0 accounts")
    }

    @Test func manyAccountsAreCountedAndFewKept() {
        var board = AccountBoard()
        for page in 0..<10 {
            board.add((0..<500).map { account("\(page)-\($0)", "active", Int64(1_000_000 - page * 500 - $0)) })
        }
        #expect(board.total == 5000)
        #expect(board.accounts.count == AccountBoard.limit)
        #expect(board.accounts.first?.user == "9-499")
        #expect(board.accounts.last?.user == "8-0")
    }

    @Test func onlyWhatChangedIsTold() throws {
        func entry(_ user: String, _ status: String) -> AccountPage.Entry {
            AccountPage.Entry(status: account(user, status, nil), json: RawJSON([]))
        }
        var changes = AccountChanges()
        #expect(changes.take([entry("1", "active"), entry("2", "active")]).count == 2)
        #expect(changes.finish() == [])
        #expect(changes.take([entry("1", "active"), entry("2", "expired")]).map(\.status.user) == ["2"])
        #expect(changes.finish() == [])
        #expect(changes.take([entry("1", "active")]).isEmpty)
        changes.giveUp()
        #expect(changes.take([entry("2", "expired"), entry("3", "active")]).map(\.status.user) == ["3"])
        #expect(changes.finish() == ["1"])
    }
}

@Suite struct LiveFrameTests {
    private let account = StatusReply(
        user: "42",
        status: "degraded",
        environment: "sandbox",
        client: "default",
        expiresAtMicroseconds: 90_000_000,
        lastRefreshedAtMicroseconds: nil,
        nextRefreshAtMicroseconds: 5_000_000,
        consecutiveFailures: 2,
        lastError: "it said no"
    )

    private func frame(rows: Int, columns: Int, inColour: Bool = false, trouble: String? = nil) -> [String] {
        var content = LiveFrame.Content(scope: .all)
        content.board.add([account])
        content.trouble = trouble
        content.readAt = 0
        let size = Terminal.Size(rows: rows, columns: columns)
        return LiveFrame(content, size: size, inColour: inColour, at: 30_000_000).lines
    }

    @Test func theWholePictureIsThis() {
        #expect(
            frame(rows: 24, columns: 80, trouble: "no daemon") == [
                "1970-01-01T00:00:30Z  1 account: 1 degraded",
                "shown as it was 30s ago; no daemon",
                "",
                "USER  STATUS    EXPIRES   NEXT REFRESH  FAILURES  LAST ERROR",
                "42    degraded  in 1m00s  25s ago       2         it said no",
                "q ends this",
            ]
        )
    }

    @Test func noLineIsTooLongAndNoneTooManyWhateverTheSize() {
        for rows in 1...8 {
            for columns in 1...70 {
                let lines = frame(rows: rows, columns: columns, trouble: "no daemon")
                #expect(lines.count <= rows)
                #expect(lines.allSatisfy { $0.count <= columns })
            }
        }
    }

    @Test func coloursTakeNoRoom() {
        let plain = frame(rows: 24, columns: 30)
        let coloured = frame(rows: 24, columns: 30, inColour: true).map { line in
            line.replacing(/\u{1B}\[[0-9]*m/, with: "")
        }
        #expect(coloured == plain)
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import Testing
import TokenCore

/// `status --client` of the built tool, against a real socket server.
@Suite(.timeLimit(.minutes(2))) struct ClientStatusTests {
    @Test func whoStillHangsOnAClientIsShown() async throws {
        try await ToolFixture.with { fixture in
            let board = BoardDouble()
            for (user, client) in [("1", "first"), ("2", "second"), ("3", "second")] {
                board.report(.sample(user, client: client))
            }
            try await fixture.serving(board) {
                let table = try await fixture.run("status", "--client", "second")
                let users = table.output.split(separator: "\n").dropFirst().map { String($0.prefix { $0 != " " }) }
                #expect(table.status == 0 && users == ["2", "3"], "\(table)")
                let json = try await fixture.run("status", "--client", "first", "--json")
                #expect(json.output.contains(#""user":"1""#) && !json.output.contains(#""user":"2""#))
                #expect(try await fixture.run("status", "42", "--client", "first").status == 64)
            }.get()
        }
    }
}

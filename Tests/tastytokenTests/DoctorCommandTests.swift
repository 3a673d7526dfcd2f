// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import SocketAPI
import TestSupport
import Testing
import TokenCore

@testable import tastytoken

/// `doctor` of the built tool: of an account against a real socket server, of the daemon against answers of a bad day.
@Suite(.timeLimit(.minutes(2))) struct DoctorCommandTests {
    private typealias Script = ScriptedServer

    private func finding(_ grade: DiagnosisFinding.Grade, mayPass: Bool = false) -> DiagnosisFinding {
        DiagnosisFinding(
            grade,
            "code_\(grade.rawValue)",
            "Found.",
            remedy: grade == .ok ? nil : "Mend.",
            mayPass: mayPass
        )
    }

    @Test(
        arguments: [
            ([.ok, .note], false, 0), ([.ok, .warn], false, 0), ([.fail, .warn], false, 78), ([.fail], true, 75),
        ] as [([DiagnosisFinding.Grade], Bool, Int32)]
    )
    func whatWasFoundIsALineEachAndDecidesTheStatus(
        _ grades: [DiagnosisFinding.Grade],
        _ mayPass: Bool,
        _ status: Int32
    ) async throws {
        try await ToolFixture.with { tool in
            let diagnosing = DiagnosingDouble()
            diagnosing.find(Diagnosis(of: UserID("4 2"), grades.map { finding($0, mayPass: mayPass) }))
            try await tool.serving(BoardDouble(), diagnosing: diagnosing) {
                let run = try await tool.run("doctor", "4 2")
                let lines = grades.map { grade in
                    let word = grade.rawValue + String(repeating: " ", count: 5 - grade.rawValue.count)
                    return "\(word) code_\(grade.rawValue): Found.\(grade == .ok ? "" : " Mend.")\n"
                }
                #expect(run.output == lines.joined() && run.errors.isEmpty && run.status == status, "\(run)")
                let json = try await tool.run("doctor", "4 2", "--json")
                #expect(json.output.hasPrefix(#"{"user":"4 2","verdict":""#) && json.status == status, "\(json)")
                let unknown = try await tool.run("doctor", "nobody")
                #expect(unknown.status == 67 && unknown.output.isEmpty, "\(unknown)")
            }.get()
        }
    }

    @Test(
        arguments: [
            (403, "forbidden", 77), (404, "unknown_user", 67), (404, "not_found", 69), (503, "overloaded", 75),
        ] as [(Int, String, Int32)]
    )
    func aRefusalIsToldAsByEveryCommand(_ status: Int, _ code: String, _ exit: Int32) async throws {
        try await ToolFixture.with { tool in
            let server = try Script(at: tool.path) { _ in Script.problem(status, code, "no.") }
            let run = try await tool.run("doctor", "42")
            #expect(run.status == exit && run.output.isEmpty && !run.errors.isEmpty, "\(run)")
            #expect(server.requests.map(\.method) == ["POST"])
            #expect(server.requests.map(\.target) == ["/v1/users/42/diagnose"])
        }
    }

    @Test func withoutADaemonItSaysWhatToLookAt() async throws {
        try await ToolFixture.with { tool in
            for arguments in [["doctor"], ["doctor", "--json"]] {
                let run = try await Program.run(
                    [ToolFixture.binary] + arguments,
                    environment: ["SOCKET_PATH": tool.path]
                )
                #expect(run.status == 69 && run.errors.isEmpty, "\(run)")
                for words in ["fail", "daemon", "systemctl status tastytokend", "ls -l \(tool.path)"] {
                    #expect(run.output.contains(words), "\(run)")
                }
            }
            let one = try await tool.run("doctor", "42")
            #expect(one.status == 69 && one.output.isEmpty, "\(one)")
        }
    }

    /// What a daemon answers, with some of it another.
    private func daemon(
        _ changes: [String: String] = [:],
        users: [String: [String]] = [:],
        at path: String
    ) throws -> Script {
        let summary = [
            "version": "\"\(ProductVersion.current)\"", "ready": "true",
            "accounts": #"{"total":3,"healthy":3,"failing":0,"needing_a_person":0,"without_grant":0}"#,
            "refreshes": #"{"in_line":0,"in_flight":0,"unstored":0,"stopped":null}"#, "capacity_accounts": "10800",
            "database": #"{"trouble":null,"changes":"told"}"#, "journal": #"{"entries":0,"trouble":null}"#,
        ].merging(changes) { $1 }
        let body = summary.filter { $0.key.first != "/" }.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",")
        return try Script(at: path) { request in
            let path = request.target.split(separator: "?").first.map(String.init) ?? ""
            if let reply = changes[path] { return reply }
            switch path {
            case "/v1/status": return Script.reply(200, "{\(body)}")
            case "/v1/users":
                let status = request.target.split(separator: "=").dropFirst().first?.split(separator: "&").first ?? ""
                let named = users[String(status)] ?? []
                let entries = named.map { Script.account($0, String(status)) }.joined(separator: ",")
                return Script.reply(200, "{\"users\":[\(entries)],\"next\":null}")
            case "/readyz": return Script.reply(200, "ready")
            default:
                return Script.reply(
                    200,
                    #"{"clients":[{"name":"default","client_id":null,"environment":"sandbox","redirect_uri":"r","#
                        + #""scopes":[],"secret_changed_at":null,"accounts":3,"obstacle":null}]}"#
                )
            }
        }
    }

    @Test func ofAHealthyDaemonAllIsWell() async throws {
        try await ToolFixture.with { tool in
            let server = try daemon(at: tool.path)
            let run = try await tool.run("doctor")
            #expect(run.status == 0 && run.errors.isEmpty, "\(run)")
            let subjects = run.output.split(separator: "\n").map { $0.split(separator: ":")[0] }
            #expect(
                subjects == ["ok    version", "ok    ready", "ok    database", "ok    accounts", "ok    clients"],
                "\(run)"
            )
            #expect(server.requests.allSatisfy { $0.method == "GET" })
            let json = try await tool.run("doctor", "--json")
            #expect(
                json.output.split(separator: "\n").count == 5 && json.output.hasPrefix(#"{"verdict":"ok","subject":"#)
            )
        }
    }

    @Test(
        arguments: [
            (["version": "\"0.0.1\""], "warn  version: The daemon is 0.0.1", 0),
            (["ready": "false"], "fail  ready:", 75),
            (
                ["database": #"{"trouble":"it is away","changes":"told"}"#],
                "fail  database: It is in trouble: it is away.", 75
            ),
            (["journal": #"{"entries":2,"trouble":null}"#], "note  journal: 2 answers", 0),
            (["journal": #"{"entries":0,"trouble":"no space"}"#], "fail  journal:", 78),
            (
                ["refreshes": #"{"in_line":0,"in_flight":0,"unstored":0,"stopped":"the secret is wrong"}"#],
                "fail  refreshes:", 75
            ),
            (["capacity_accounts": "2"], "warn  capacity: There are 3 accounts", 0),
            (["/v1/clients": Script.problem(403, "forbidden", "no.")], "note  clients:", 0),
            (["/v1/status": Script.problem(403, "forbidden", "no.")], "note  daemon: It answers", 0),
            (["/v1/clients": Script.problem(503, "token_unavailable", "no.")], "warn  clients: no.", 0),
        ] as [([String: String], String, Int32)]
    )
    func whatIsWrongWithADaemonIsALineAndAStatus(
        _ changes: [String: String],
        _ line: String,
        _ status: Int32
    ) async throws {
        try await ToolFixture.with { tool in
            let server = try daemon(changes, at: tool.path)
            let run = try await tool.run("doctor")
            #expect(run.output.contains(line) && run.status == status && run.errors.isEmpty, "\(run)")
            _ = server
        }
    }

    /// What cannot be asked is said in a line of its own, beside what was found before and after it.
    @Test(arguments: [
        ("/v1/clients", "", "fail  clients: Not all of it could be looked at: ", 78),
        ("/v1/users", "status=expired", "fail  accounts: Not all of it could be looked at: ", 78),
        ("/v1/users", "status=", "fail  accounts: Not all of it could be looked at: ", 75),
    ])
    func aPartThatCannotBeLookedAtHidesNothingElse(
        _ path: String,
        _ query: String,
        _ line: String,
        _ status: Int32
    ) async throws {
        try await ToolFixture.with { tool in
            let behind = "\(tool.path)b"
            let server = try daemon(users: ["reauthorization_required": ["7"]], at: behind)
            // It hangs up in the middle of one question.
            let front = try Script(at: tool.path) { request in
                guard request.target.hasPrefix(path), query.isEmpty || request.target.contains(query) else {
                    return server.answer(request)
                }
                return nil
            }
            let run = try await tool.run("doctor")
            #expect(run.status == status && run.errors.isEmpty, "\(run)")
            #expect(run.output.contains("ok    database: ") && run.output.contains(line), "\(run)")
            let isFound = run.output.contains("fail  accounts: reauthorization_required: user 7.")
            #expect(isFound == (query != "status="), "\(run)")
            #expect(run.output.contains("ok    clients: ") == (path != "/v1/clients"), "\(run)")
            _ = front
        }
    }

    @Test func accountsInTroubleAreNamedFirstTheWorst() async throws {
        try await ToolFixture.with { tool in
            let users = ["degraded": ["9"], "reauthorization_required": ["1", "2", "3", "4"], "expired": ["7", "8"]]
            let server = try daemon(users: users, at: tool.path)
            let run = try await tool.run("doctor")
            let lines = run.output.split(separator: "\n").filter { $0.contains("accounts:") }
            #expect(run.status == 78 && lines.count == 3, "\(run)")
            #expect(
                lines.first?.contains("reauthorization_required: users 1, 2, 3 and others. Connect them again") == true
            )
            #expect(lines.last?.hasPrefix("warn  accounts: degraded: user 9.") == true)
            #expect(server.requests.map(\.target).contains("/v1/users?status=unreadable&limit=4"))
        }
    }

    @Test func aClientThatCannotBeUsedIsNamed() async throws {
        try await ToolFixture.with { tool in
            let clients =
                #"{"clients":[{"name":"second","client_id":"i","environment":"sandbox","redirect_uri":"r","scopes":[],"#
                + #""secret_changed_at":null,"accounts":2,"obstacle":"its client secret: \#u{1B}[2J"}]}"#
            let server = try daemon(
                ["/v1/clients": Script.reply(200, clients.replacing("\u{1B}", with: "\\u001b"))],
                at: tool.path
            )
            let run = try await tool.run("doctor")
            #expect(run.status == 78 && run.output.contains("fail  client second: It cannot be used"), "\(run)")
            #expect(!run.output.contains("\u{1B}"))
            _ = server
        }
    }
}

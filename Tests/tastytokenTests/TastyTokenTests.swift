// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import Logging
import SocketServer
import TestSupport
import Testing
import TokenCore

/// The built tool against a real socket server.
@Suite struct TastyTokenTests {
    private struct Setting: Sendable {
        let board = BoardDouble()
        let path: String
        let binary: String

        func run(_ arguments: String..., environment: [String: String] = [:]) async throws -> Program {
            try await Program.run([binary] + arguments, environment: environment)
        }
    }

    private func with(_ body: (Setting) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        // The tool is built beside the test bundle.
        let products = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
        let setting = Setting(path: folder + "/s", binary: products.appendingPathComponent("tastytoken").path)
        let server = SocketServer(
            serving: setting.board,
            clock: { .newYear },
            access: AccessRules(ownUser: geteuid()),
            facts: ServiceFacts(version: "0", startedAt: WallTime(nanoseconds: 0)) { .init(trouble: nil, changes: "") },
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        try await server.start(at: .path(setting.path, mode: 0o666, group: nil))
        let result: Result<Void, any Error>
        do { result = .success(try await body(setting)) } catch { result = .failure(error) }
        await server.stop(within: .zero)
        try FileManager.default.removeItem(atPath: folder)
        try result.get()
    }

    private func token(_ text: String, living lifetime: Duration = .seconds(600)) -> PublishedToken {
        let client = ClientRegistration(
            name: "default",
            environment: .sandbox,
            clientID: nil,
            clientSecret: Secret(""),
            apiURL: "https://api.cert.tastyworks.com"
        )
        let life = TokenLife(expiresAt: .newYear + lifetime, lifetime: .seconds(900))
        return TokenReplyRenderer().render(Secret(text), type: "Bearer", life: life, for: client)
    }

    @Test func tokenAndHeaderArePrintedForScripts() async throws {
        try await with { setting in
            setting.board.publish(token("abc"), for: UserID("4 2"))
            let bare = try await setting.run("token", "4 2", "--socket", setting.path)
            #expect(bare.output == "abc\n")
            #expect(bare.errors == "")
            #expect(bare.status == 0)
            let header = try await setting.run("header", "4 2", environment: ["SOCKET_PATH": setting.path])
            #expect(header.output == "Authorization: Bearer abc\n")
            let json = try await setting.run("token", "4 2", "--json", "--socket", setting.path)
            #expect(json.output.hasPrefix(#"{"user":"4 2","access_token":"abc","#))
        }
    }

    @Test func aTokenThatLivesShorterThanAskedIsPrintedWithAWarning() async throws {
        try await with { setting in
            setting.board.publish(token("abc", living: .seconds(20)), .refused, for: UserID("4 2"))
            let run = try await setting.run("token", "4 2", "--min-ttl", "30", "--socket", setting.path)
            #expect(run.output == "abc\n")
            #expect(run.errors.contains("20 s only (reauthorization_required)"))
            #expect(run.status == 0)
        }
    }

    @Test func everyFailureHasItsStatusAndALine() async throws {
        try await with { setting in
            let board = setting.board
            board.publish(nil, .refused, for: UserID("refused"))
            board.publish(nil, .underWay, for: UserID("slow"))
            board.publish(nil, .backingOff(until: .newYear + .seconds(9)), for: UserID("failing"))
            let cases: [(Int32, [String])] = [
                (67, ["token", "nobody"]), (67, ["status", "nobody"]), (78, ["token", "refused"]),
                (78, ["header", "refused"]), (75, ["token", "slow", "--max-wait", "0"]), (75, ["token", "failing"]),
            ]
            for (status, arguments) in cases {
                let run = try await Program.run([setting.binary] + arguments + ["--socket", setting.path])
                #expect(run.status == status, "\(arguments)")
                #expect(run.output == "")
                #expect(run.errors.hasPrefix("tastytoken: "))
                #expect(run.errors.hasSuffix(".\n"))
            }
        }
    }

    @Test func othersAreNotAllowed() async throws {
        try #require(geteuid() == 0, "run as root, so that another user can be taken on")
        try await with { setting in
            let nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
            let path = setting.path
            let run = try await Program.run(nobody + [setting.binary, "token", "1", "--socket", path])
            #expect(run.status == 77)
            chmod(path, 0o600)
            let closed = try await Program.run(nobody + [setting.binary, "token", "1", "--socket", path])
            #expect(closed.status == 77)
            #expect(closed.errors.contains(path))
        }
    }

    @Test func noDaemonAndWrongUsageAreTold() async throws {
        try await with { setting in
            let none = try await setting.run("token", "1", "--socket", setting.path + "-none")
            #expect(none.status == 69)
            #expect(none.errors.contains("no daemon listens at \(setting.path)-none"))
            for arguments in [
                ["token"], ["token", ""], ["token", "1", "--min-ttl", "-1"], ["token", "1", "--max-wait", "x"], ["no"],
            ] {
                let run = try await Program.run([setting.binary] + arguments)
                #expect(run.status == 64, "\(arguments)")
                #expect(run.errors != "")
            }
            let version = try await setting.run("--version")
            #expect(version.status == 0)
        }
    }
}

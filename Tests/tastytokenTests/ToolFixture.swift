// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import Logging
import SocketServer
import Synchronization
import TestSupport
import TokenCore

/// The tool as it was built, and a folder for a socket of its own.
struct ToolFixture: Sendable {
    /// Where the test's server is to listen.
    let path: String
    /// The program.
    static let binary: String = {
        // It is built beside the test bundle.
        let products = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
        return products.appendingPathComponent("tastytoken").path
    }()

    /// Gives `body` a fixture and removes what is left of it.
    static func with<Value>(_ body: (ToolFixture) async throws -> Value) async throws -> Value {
        let folder = try makeTemporaryFolder(for: "tool")
        defer { try? FileManager.default.removeItem(atPath: folder) }
        return try await body(ToolFixture(path: folder + "/s"))
    }

    /// Has a real server answer at the socket while `body` runs.
    ///
    /// - Parameters:
    ///   - board: what it serves.
    ///   - enrolling: who connects accounts, if anybody does.
    ///   - authorizing: who sends people to TastyTrade, if anybody does.
    ///   - pages: the web pages, if there are any.
    ///   - diagnosing: who looks for what is wrong, if anybody does.
    ///   - body: what is done meanwhile.
    /// - Returns: what `body` returned, or what went wrong.
    func serving<Value>(
        _ board: BoardDouble,
        _ enrolling: EnrollingDouble? = nil,
        _ authorizing: AuthorizingDouble? = nil,
        pages: LinkingDouble? = nil,
        diagnosing: DiagnosingDouble? = nil,
        _ body: () async throws -> Value
    ) async -> Result<Value, any Error> {
        let server = SocketServer(
            serving: board,
            enrolling: enrolling,
            authorizing: authorizing,
            pages: pages,
            diagnosing: diagnosing,
            clock: { .newYear },
            access: AccessRules(ownUser: geteuid()),
            facts: ServiceFacts(version: "0", startedAt: WallTime(nanoseconds: 0)) { .init(trouble: nil, changes: "") },
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        let result: Result<Value, any Error>
        do {
            try await server.start(at: .path(path, mode: 0o666, group: nil))
            result = .success(try await body())
        } catch {
            result = .failure(error)
        }
        await server.stop(within: .zero)
        return result
    }

    /// Runs the tool against the socket, to its end.
    func run(_ arguments: String..., environment: [String: String] = [:]) async throws -> Program {
        let all = ["SOCKET_PATH": path].merging(environment) { $1 }
        return try await Program.run([Self.binary] + arguments, environment: all)
    }
}

/// The tool on a terminal.
typealias ToolOnTerminal = ProgramOnTerminal

extension ProgramOnTerminal {
    /// Starts the tool against a socket.
    convenience init(
        _ arguments: [String],
        at path: String,
        rows: Int = 24,
        columns: Int = 80,
        environment: [String] = ["TERM=xterm"]
    ) throws {
        try self.init(
            [ToolFixture.binary] + arguments,
            environment: ["SOCKET_PATH=\(path)"] + environment,
            rows: rows,
            columns: columns
        )
    }
}

/// A program that goes on until it is ended: its lines can be awaited one by one.
final class RunningTool: Sendable {
    private let child: ChildProcess
    private let output: CInt
    private let errors: CInt
    private let unread = Mutex<[CInt: [UInt8]]>([:])
    private let isOver = Mutex(false)

    /// What did not come about in time.
    struct Overdue: Error {
        let what: String
    }

    /// Starts the tool against a socket.
    init(_ arguments: [String], at path: String) throws {
        let (written, complaints) = (try PipeEnds(), try PipeEnds())
        let environment = ["PATH=/usr/bin:/bin", "SOCKET_PATH=\(path)"]
        let streams = [nil, written.writing, complaints.writing]
        child = try ChildProcess([ToolFixture.binary] + arguments, environment: environment, streams: streams)
        close(written.writing)
        close(complaints.writing)
        (output, errors) = (written.reading, complaints.reading)
    }

    deinit {
        if !isOver.withLock({ $0 }) {
            kill(child.pid, SIGKILL)
            _ = child.wait()
        }
        close(errors)
        closeOutput()
    }

    /// The next line of standard output.
    func line() async throws -> String { try await line(of: output) }

    /// The next line of standard error.
    func complaint() async throws -> String { try await line(of: errors) }

    /// Reads standard output no more.
    func closeOutput() {
        unread.withLock { unread in
            if unread[-output] == nil { close(output) }
            unread[-output] = []
        }
    }

    /// Its process id.
    var pid: pid_t { child.pid }

    func signal(_ number: CInt) {
        kill(child.pid, number)
    }

    /// Waits for its end: its exit status, or minus the signal that ended it.
    func end() async throws -> CInt {
        let status = try await child.end()
        isOver.withLock { $0 = true }
        return status
    }

    /// What was written to standard error and not read yet, once it has ended.
    func remainingComplaints() async throws -> String {
        try await onThread { [self] in
            var bytes = unread.withLock { $0[errors] ?? [] }
            while let chunk = try Self.chunk(of: errors), !chunk.isEmpty { bytes += chunk }
            return String(decoding: bytes, as: UTF8.self)
        }
    }

    private func line(of descriptor: CInt) async throws -> String {
        try await onThread { [self] in
            var bytes = unread.withLock { $0[descriptor] ?? [] }
            while !bytes.contains(10) {
                guard let chunk = try Self.chunk(of: descriptor), !chunk.isEmpty else {
                    throw Overdue(what: "a line after \(String(decoding: bytes, as: UTF8.self))")
                }
                bytes += chunk
            }
            let end = bytes.firstIndex(of: 10) ?? 0
            unread.withLock { $0[descriptor] = Array(bytes[(end + 1)...]) }
            return String(decoding: bytes[..<end], as: UTF8.self)
        }
    }

    /// Bytes that came within half a minute; none at the end, nil if nothing came.
    private static func chunk(of descriptor: CInt) throws -> [UInt8]? {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&entry, 1, 30_000) > 0 else { return nil }
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = read(descriptor, &buffer, buffer.count)
        return Array(buffer.prefix(max(count, 0)))
    }
}

/// Does what blocks on a thread of its own: the cooperative pool's must not block.
func onThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Result(catching: body)) }
    }
}

extension ChildProcess {
    /// Waits for its end, and kills what does not end in half a minute, so that a test of it fails and does not hang.
    func end() async throws -> CInt {
        let timeout = DispatchSource.makeTimerSource()
        timeout.setEventHandler { [pid] in kill(pid, SIGKILL) }
        timeout.schedule(deadline: .now() + .seconds(30))
        timeout.activate()
        defer { timeout.cancel() }
        return try await onThread { wait() }
    }
}

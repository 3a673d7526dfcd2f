// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import Synchronization

/// A program of ours as it was built, run as a child whose output is kept in files.
final class ChildProcess: Sendable {
    /// What became of a program that was run to its end.
    struct Result: Sendable {
        let status: Int32
        let output: String
        let errors: String
    }

    enum Failure: Error, CustomStringConvertible {
        case notBuilt(String)
        case stillRunning(String, after: Duration, errors: String)

        var description: String {
            switch self {
            case .notBuilt(let name): "\(name) is not beside the tests: run `swift build` first"
            case .stillRunning(let name, let time, let errors): "\(name) did not end within \(time): \(errors)"
            }
        }
    }

    private let process: Mutex<Process>
    private let name: String
    private let outputFile: URL
    private let errorFile: URL
    private let ended = DispatchSemaphore(value: 0)

    /// The programs lie beside the test bundle, wherever that was built.
    static func path(of name: String) throws -> URL {
        let folder = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath().deletingLastPathComponent()
        for candidate in [folder, folder.deletingLastPathComponent(), folder.deletingLastPathComponent().deletingLastPathComponent()] {
            let program = candidate.appendingPathComponent(name)
            if FileManager.default.isExecutableFile(atPath: program.path), !program.path.hasSuffix(".xctest") {
                return program
            }
        }
        throw Failure.notBuilt(name)
    }

    /// Starts the program with nothing in its environment but `environment`.
    init(_ name: String, _ arguments: [String], environment: [String: String] = [:], in folder: URL) throws {
        let tag = UUID().uuidString
        outputFile = folder.appendingPathComponent("\(name).\(tag).out")
        errorFile = folder.appendingPathComponent("\(name).\(tag).err")
        self.name = name
        let process = Process()
        process.executableURL = name.hasPrefix("/") ? URL(fileURLWithPath: name) : try Self.path(of: name)
        process.arguments = arguments
        process.environment = environment
        for file in [outputFile, errorFile] { FileManager.default.createFile(atPath: file.path, contents: nil) }
        process.standardOutput = try FileHandle(forWritingTo: outputFile)
        process.standardError = try FileHandle(forWritingTo: errorFile)
        process.standardInput = FileHandle.nullDevice
        process.terminationHandler = { [ended] _ in ended.signal() }
        try process.run()
        self.process = Mutex(process)
    }

    deinit {
        process.withLock { process in
            if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        }
    }

    var pid: Int32 { process.withLock { $0.processIdentifier } }
    var isRunning: Bool { process.withLock { $0.isRunning } }
    var output: String { (try? String(contentsOf: outputFile, encoding: .utf8)) ?? "" }
    var errors: String { (try? String(contentsOf: errorFile, encoding: .utf8)) ?? "" }

    func signal(_ number: Int32) {
        kill(pid, number)
    }

    /// Waits for the end; the exit status, or minus the signal's number.
    func wait(atMost time: Duration = .seconds(30)) throws -> Result {
        let deadline = DispatchTime.now() + .milliseconds(Int(time.components.seconds) * 1000)
        guard ended.wait(timeout: deadline) == .success else {
            throw Failure.stillRunning(name, after: time, errors: errors)
        }
        ended.signal()
        let status = process.withLock { $0.terminationReason == .exit ? $0.terminationStatus : -$0.terminationStatus }
        return Result(status: status, output: output, errors: errors)
    }

    /// Runs a program to its end.
    static func run(
        _ name: String, _ arguments: [String], environment: [String: String] = [:], in folder: URL
    ) throws -> Result {
        try ChildProcess(name, arguments, environment: environment, in: folder).wait()
    }
}

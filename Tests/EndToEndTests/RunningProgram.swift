// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Dispatch
import Foundation
import Synchronization

/// A program as a user would run it: one of ours from the build folder, or one of the system's by its path. What it
/// prints is kept in files, so that nothing it says can stop it.
final class RunningProgram: Sendable {
    /// What became of a program that came to its end.
    struct End: Sendable {
        /// The exit status, or minus the number of the signal that ended it.
        let status: Int32
        let output: String
        let errors: String
    }

    enum Failure: Error, CustomStringConvertible {
        case notBuilt(String)
        case stillRunning(String, errors: String)

        var description: String {
            switch self {
            case .notBuilt(let name): "\(name) is not in the build folder: run `swift build` first"
            case .stillRunning(let name, let errors): "\(name) did not end in time; it said: \(errors)"
            }
        }
    }

    private let process: Mutex<Process>
    private let name: String
    private let outputFile: URL
    private let errorFile: URL
    private let ended = DispatchGroup()

    /// Starts the program with just `environment` around it.
    init(_ name: String, _ arguments: [String], environment: [String: String] = [:], in folder: String) throws {
        let stem = URL(fileURLWithPath: name).lastPathComponent + "-" + UUID().uuidString
        let place = URL(fileURLWithPath: folder)
        outputFile = place.appendingPathComponent("\(stem).out")
        errorFile = place.appendingPathComponent("\(stem).err")
        for file in [outputFile, errorFile] { try Data().write(to: file) }
        self.name = name
        let process = Process()
        process.executableURL = name.hasPrefix("/") ? URL(fileURLWithPath: name) : try Self.built(name)
        process.arguments = arguments
        process.environment = environment
        process.currentDirectoryURL = place
        let files = try [outputFile, errorFile].map { try FileHandle(forWritingTo: $0) }
        (process.standardOutput, process.standardError) = (files[0], files[1])
        process.standardInput = FileHandle.nullDevice
        ended.enter()
        process.terminationHandler = { [ended] _ in ended.leave() }
        try process.run()
        // The program has its own. Foundation keeps ours for as long as the tests run, and crashes as it starts a program with some 1,360 open.
        for file in files { try file.close() }
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

    /// Waits until it has ended.
    func end(within seconds: Int = 60) async throws -> End {
        let isOver = try await onThread { [ended] in ended.wait(timeout: .now() + .seconds(seconds)) == .success }
        guard isOver else { throw Failure.stillRunning(name, errors: errors) }
        let status = process.withLock { $0.terminationReason == .exit ? $0.terminationStatus : -$0.terminationStatus }
        return End(status: status, output: output, errors: errors)
    }

    /// Runs a program to its end.
    static func run(
        _ name: String,
        _ arguments: [String],
        environment: [String: String] = [:],
        in folder: String
    ) async throws -> End {
        try await RunningProgram(name, arguments, environment: environment, in: folder).end()
    }

    /// The programs lie where the test bundle was built.
    static func built(_ name: String) throws -> URL {
        var folder = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
        if let maps = try? String(contentsOfFile: "/proc/self/maps", encoding: .utf8),
            let bundle = maps.split(separator: "\n").first(where: { $0.contains(".xctest") })?.split(separator: " ")
                .last
        {
            folder = URL(fileURLWithPath: String(bundle))
        }
        let program = folder.deletingLastPathComponent().appendingPathComponent(name)
        guard FileManager.default.isExecutableFile(atPath: program.path) else { throw Failure.notBuilt(name) }
        return program
    }
}

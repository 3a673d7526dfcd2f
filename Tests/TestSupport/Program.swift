// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation

/// A program that a test runs to its end.
package struct Program: Sendable {
    /// How it ended.
    package let status: Int32
    /// What it wrote to standard output.
    package let output: String
    /// What it wrote to standard error.
    package let errors: String

    /// Runs a program, found by `PATH`, with the test's environment and what is added to it.
    package static func run(
        _ arguments: [String],
        environment: [String: String] = [:]
    ) async throws -> Program {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let (output, errors) = (Pipe(), Pipe())
        (process.standardOutput, process.standardError) = (output, errors)
        process.standardInput = FileHandle.nullDevice
        let (ended, end) = AsyncStream.makeStream(of: Void.self)
        process.terminationHandler = { _ in end.finish() }
        try process.run()
        async let written = text(of: output)
        async let complaints = text(of: errors)
        let texts = await (written, complaints)
        for await _ in ended {}
        return Program(status: process.terminationStatus, output: texts.0, errors: texts.1)
    }

    /// Reads to the end on a thread of its own: Dispatch adds one thread a second to a pool whose threads are all blocked, and tasks
    /// wait for the same threads.
    private static func text(of pipe: Pipe) async -> String {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(
                    returning: String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
                )
            }
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation

/// A program run to its end.
struct Command: Sendable {
    private let words: [String]
    private let input: String

    /// A program by its path, with its arguments, and what it reads.
    init(_ words: [String], input: String = "") {
        self.words = words
        self.input = input
    }

    /// Our own environment without the variables that change what PostgreSQL's programs do.
    static var environment: [String] {
        ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("PG") }.map { "\($0.key)=\($0.value)" }
    }

    /// Runs it and gives what it printed; throws with what it said if it fails.
    @discardableResult
    func run() async throws -> String {
        try await withCheckedThrowingContinuation { continuation in
            // Reading and waiting block, which the cooperative pool's threads must not.
            Thread.detachNewThread { continuation.resume(with: Result { try runBlocking() }) }
        }
    }

    /// Input and complaints go through files, so that no pipe can fill up while another one is being read.
    private func runBlocking() throws -> String {
        let (given, complaints, output) = (try temporaryFile(), try temporaryFile(), try PipeEnds())
        let printed = FileHandle(fileDescriptor: output.reading, closeOnDealloc: true)
        try given.write(contentsOf: Data(input.utf8))
        try given.seek(toOffset: 0)
        let streams = [given.fileDescriptor, output.writing, complaints.fileDescriptor]
        let started = Result { try ChildProcess(words, environment: Self.environment, streams: streams) }
        close(output.writing)
        let process = try started.get()
        let text = String(decoding: printed.readDataToEndOfFile(), as: UTF8.self)
        let status = process.wait()
        guard status == 0 else {
            try complaints.seek(toOffset: 0)
            let said = String(decoding: complaints.readDataToEndOfFile(), as: UTF8.self)
            throw TestSupportError("\(words.joined(separator: " ")) ended with \(status): \(said)")
        }
        return text
    }

    /// A file without a name, gone when it is closed.
    private func temporaryFile() throws -> FileHandle {
        guard let file = tmpfile() else { throw TestSupportError("No temporary file could be made, errno \(errno).") }
        defer { fclose(file) }
        let descriptor = dup(fileno(file))
        return FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    }
}

/// Why a fixture could not be made.
struct TestSupportError: Error, CustomStringConvertible {
    /// What happened and what to do.
    let description: String

    /// Takes the words.
    init(_ description: String) {
        self.description = description
    }
}

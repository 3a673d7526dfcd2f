// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import TestSupport
import Testing

/// One of the clients in docs/clients, run as its users would copy it.
struct ClientExample: Sendable, CustomTestStringConvertible {
    /// The program that runs it.
    let interpreter: String
    /// Its file's name.
    let file: String

    static let withCurl = ClientExample(interpreter: "sh", file: "token.sh")
    static let inPython = ClientExample(interpreter: "python3", file: "token.py")
    static let inNode = ClientExample(interpreter: "node", file: "token.mjs")
    static let inRuby = ClientExample(interpreter: "ruby", file: "token.rb")
    /// Connects accounts; it is no client that asks for tokens.
    static let enrollingInRuby = ClientExample(interpreter: "ruby", file: "enroll.rb")

    /// Those whose interpreter is installed here.
    static let runnable = [withCurl, inPython, inNode, inRuby].filter(\.isRunnable)

    private static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("docs/clients").path

    var testDescription: String { file }

    /// Where its file is.
    var path: String { "\(Self.folder)/\(file)" }

    /// Whether its interpreter is installed here.
    var isRunnable: Bool {
        let folders = ProcessInfo.processInfo.environment["PATH"]?.split(separator: ":") ?? []
        return folders.contains { FileManager.default.isExecutableFile(atPath: "\($0)/\(interpreter)") }
    }

    /// Runs it to its end against the socket at a path.
    ///
    /// - Parameters:
    ///   - arguments: the command line.
    ///   - path: the socket's.
    ///   - patience: seconds that it is told to wait at most; nil leaves them to it.
    ///   - runner: what runs the interpreter, as another user, say.
    /// - Returns: how it ended.
    /// - Throws: why it could not be started.
    func run(
        _ arguments: String...,
        at path: String,
        patience: Int? = nil,
        by runner: [String] = []
    ) async throws -> Program {
        var environment = ["SOCKET_PATH": path]
        if let patience { environment["TOKEN_PATIENCE"] = "\(patience)" }
        let words = runner + [interpreter, "\(Self.folder)/\(file)"] + arguments
        return try await Program.run(words, environment: environment)
    }

    /// Runs it to its end against the socket at a path, with a file on its standard input.
    ///
    /// - Parameters:
    ///   - arguments: the command line.
    ///   - path: the socket's.
    ///   - input: the file's path.
    /// - Returns: how it ended.
    /// - Throws: why it could not be started.
    func run(_ arguments: [String], at path: String, reading input: String) async throws -> Program {
        let shell = ["/bin/sh", "-c", "exec \"$@\" < \"$0\"", input]
        return try await Program.run(
            shell + [interpreter, "\(Self.folder)/\(file)"] + arguments,
            environment: ["SOCKET_PATH": path]
        )
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import Testing

/// A daemon whose descriptors run out.
@Suite struct DescriptorTests {
    /// The processor time that a process has used, in clock ticks (proc(5)).
    private func ticks(of process: Int32) throws -> Int {
        let text = try String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)
        let fields = text.drop { $0 != ")" }.split(separator: " ")
        return try #require(Int(fields[12])) + (try #require(Int(fields[13])))
    }

    @Test(.enabled(if: geteuid() == 0, "looking at the descriptors of a daemon takes root"))
    func callersAreRefusedWhileNoneIsLeftAndLetInAfterwards() async throws {
        try await Installation.with(accounts: 1) { installation in
            let daemon = try await installation.startReadyDaemon()
            let (socket, process) = (installation.socket, daemon.pid)
            // Without a descriptor the daemon could not fetch it either.
            try await eventually("the first token") {
                try SocketProbe.get("/v1/users/1/token", at: socket).status == 200
            }
            let limit = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/fd").count + 8
            let prlimit = ["--pid", "\(process)", "--nofile=\(limit):\(limit)"]
            let lowered = try await RunningProgram.run("/usr/bin/prlimit", prlimit, in: installation.folder)
            try #require(lowered.status == 0, "\(lowered.errors)")

            let early = try KeptProbe(at: socket)
            #expect(try early.status(of: "/healthz") == 200)
            var held: [KeptProbe] = []
            var refused = 0
            while refused < 5, held.count < 50 {
                let probe = try KeptProbe(at: socket)
                if try probe.status(of: "/healthz") == 503 { refused += 1 } else { held.append(probe) }
            }
            #expect(refused == 5, "who finds no descriptor is told so")
            let before = try ticks(of: process)
            try await Task.sleep(for: .seconds(1))
            #expect(try ticks(of: process) - before < sysconf(Int32(_SC_CLK_TCK)) / 2, "it does not spin")
            #expect(try early.status(of: "/v1/users/1/token") == 200, "who is in is served")
            held = []
            try await eventually("there is room again") { try KeptProbe(at: socket).status(of: "/healthz") == 200 }
            #expect(try await installation.stop(daemon).status == 0)
            #expect(daemon.errors.ranges(of: "no descriptor is left").count == 1, "said once")
        }
    }

    @Test(.enabled(if: geteuid() == 0, "looking at the descriptors of a daemon takes root"))
    func whoWaitsOutsideIsLetInOnceThereIsRoomThoughNobodyElseCalls() async throws {
        try await Installation.with(accounts: 1) { installation in
            let daemon = try await installation.startReadyDaemon()
            let (socket, process) = (installation.socket, daemon.pid)
            let folder = "/proc/\(process)/fd"
            let open = { try FileManager.default.contentsOfDirectory(atPath: folder).count }
            let before = try open()
            func setLimit(_ limit: Int) async throws {
                let arguments = ["--pid", "\(process)", "--nofile=\(limit):\(before + 64)"]
                let end = try await RunningProgram.run("/usr/bin/prlimit", arguments, in: installation.folder)
                try #require(end.status == 0, "\(end.errors)")
            }
            // Below all that are open, so that the one in reserve, once it was given up, cannot be had again.
            try await setLimit(4)
            async let waiting = onThread { try SocketProbe.get("/healthz", at: socket).status }
            try await eventually("the reserve is gone") { try open() < before }
            let used = try ticks(of: process)
            try await Task.sleep(for: .seconds(1))
            #expect(try ticks(of: process) - used < sysconf(Int32(_SC_CLK_TCK)) / 2, "it does not spin")
            try await setLimit(before + 64)
            #expect(try await waiting == 200)
            #expect(try await installation.stop(daemon).status == 0)
        }
    }
}

/// A caller who keeps his connection for as long as somebody keeps him.
private final class KeptProbe {
    private var probe: SocketProbe

    init(at path: String) throws {
        probe = try SocketProbe(at: path)
    }

    func status(of path: String) throws -> Int {
        try probe.answer(to: path).status
    }
}

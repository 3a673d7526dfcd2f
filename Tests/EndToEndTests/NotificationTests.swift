// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import Synchronization
import TestSupport
import Testing
import TokenSimulator

/// What the service manager is told, on a notification socket as it makes one (sd_notify(3)).
@Suite(.serialized, .timeLimit(.minutes(5))) struct NotificationTests {
    @Test func h28ItIsReadyOnlyOnceTheAccountsAreLoadedAndTheSocketAnswers() async throws {
        try await Installation.with(accounts: 3) { installation in
            let manager = try NotificationSocket(at: "\(installation.folder)/notify")
            try await installation.postgres.stop()
            let daemon = try installation.startDaemon(["NOTIFY_SOCKET": manager.path])
            try await eventually("the database is missed") {
                manager.messages.contains { $0.contains("Waiting for the database") }
            }
            #expect(!manager.messages.contains { $0.contains("READY=1") })
            #expect(try SocketProbe.get("/readyz", at: installation.socket).status == 503)
            #expect(try SocketProbe.get("/healthz", at: installation.socket).status == 200)
            try await installation.postgres.start()
            try await eventually("it is ready") { manager.messages.contains { $0.contains("READY=1") } }
            #expect(try SocketProbe.get("/readyz", at: installation.socket).status == 200)
            #expect(manager.messages.contains { $0.contains("STATUS=3 accounts") })
            _ = try await installation.stop(daemon)
            #expect(manager.messages.contains { $0.contains("STOPPING=1") })
        }
    }

    @Test func theWatchdogIsFedWhileThePartsMoveEvenWithEverythingElseAway() async throws {
        try await Installation.with(accounts: 3) { installation in
            let manager = try NotificationSocket(at: "\(installation.folder)/notify")
            let daemon = try await installation.startReadyDaemon([
                "NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "1000000",
            ])
            try await eventually("it is fed") { manager.count(of: "WATCHDOG=1") >= 3 }
            try await installation.postgres.stop(mode: .immediate)
            installation.simulator.set(Fault(.outage(.reset)))
            let before = manager.count(of: "WATCHDOG=1")
            try await eventually("it is fed on") { manager.count(of: "WATCHDOG=1") >= before + 4 }
            _ = try await installation.stop(daemon)
        }
    }
}

/// The service manager's end of `NOTIFY_SOCKET`.
final class NotificationSocket: Sendable {
    let path: String
    private let descriptor: Int32
    private let received = Mutex<[String]>([])

    init(at path: String) throws {
        self.path = path
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        let status = withUnixAddress(path) { bind(descriptor, $0, $1) }
        guard status == 0 else { throw SocketProbe.Failure.system("bind", errno) }
    }

    deinit {
        close(descriptor)
    }

    /// All messages so far.
    var messages: [String] {
        drain()
        return received.withLock { $0 }
    }

    func count(of line: String) -> Int {
        messages.count { $0.split(separator: "\n").contains { $0 == line } }
    }

    private func drain() {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let length = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            guard length > 0 else { return }
            let message = String(decoding: buffer[..<length], as: UTF8.self)
            received.withLock { $0.append(message) }
        }
    }
}

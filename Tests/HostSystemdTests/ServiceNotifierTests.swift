// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import HostSystemd
import Logging
import Testing

@Suite struct ServiceNotifierTests {
    private let log = LogCapture()

    @Test(arguments: [true, false])
    func everyStepReachesTheManager(abstract: Bool) throws {
        let manager = try NotifyReceiver(abstract: abstract)
        let notifier = ServiceNotifier(address: try NotifyAddress(manager.address), logger: log.logger)
        notifier.status("loading accounts")
        notifier.extendTimeout(by: .milliseconds(1500))
        notifier.ready(status: "5 accounts")
        notifier.reloading(monotonicMicroseconds: 42, status: "reading the configuration again")
        notifier.stopping(status: "2 refreshes in flight")
        #expect(
            manager.received() == [
                "STATUS=loading accounts",
                "EXTEND_TIMEOUT_USEC=1500000",
                "READY=1\nSTATUS=5 accounts",
                "RELOADING=1\nMONOTONIC_USEC=42\nSTATUS=reading the configuration again",
                "STOPPING=1\nSTATUS=2 refreshes in flight",
            ]
        )
        #expect(log.recorded.isEmpty)
    }

    @Test func wordsCannotSmuggleInAnotherMessage() throws {
        let manager = try NotifyReceiver(abstract: true)
        let notifier = ServiceNotifier(address: try NotifyAddress(manager.address), logger: log.logger)
        notifier.status("all\twell\r\nWATCHDOG=1\n")
        notifier.status(String(repeating: "ä", count: 400))
        let messages = manager.received()
        #expect(messages.first == "STATUS=all well WATCHDOG=1")
        #expect(messages.last?.utf8.count ?? .max <= 512 + "STATUS=".utf8.count)
        #expect(messages.last?.hasSuffix("…") == true)
    }

    @Test func withoutManagerNothingIsSaid() {
        let notifier = ServiceNotifier(address: nil, logger: log.logger)
        notifier.ready(status: "up")
        notifier.stopping(status: "down")
        #expect(log.recorded.isEmpty)
    }

    @Test func managerThatIsGoneIsOneWarning() throws {
        let address = "@tastytokend-nobody-\(UInt64.random(in: .min ... .max))"
        let notifier = ServiceNotifier(address: try NotifyAddress(address), logger: log.logger)
        notifier.ready(status: "up")
        #expect(
            log.recorded == [
                "warning: service manager could not be told error.message=\"sendto NOTIFY_SOCKET: Connection refused\""
            ]
        )
    }

    @Test(arguments: [Duration.zero, .seconds(-1)])
    func noTimeIsNoExtension(time: Duration) throws {
        let manager = try NotifyReceiver(abstract: true)
        ServiceNotifier(address: try NotifyAddress(manager.address), logger: log.logger).extendTimeout(by: time)
        #expect(manager.received().isEmpty)
    }

    @Test(arguments: ["", "run/notify", "vsock:2:1234", "@", "/", "/" + String(repeating: "x", count: 107)])
    func addressesThatAreNoneAreRefused(text: String) {
        #expect(throws: HostFailure.self) { try NotifyAddress(text) }
    }

    @Test(arguments: ["/" + String(repeating: "x", count: 106), "@" + String(repeating: "x", count: 107)])
    func longestAddressesAreTaken(text: String) throws {
        _ = try NotifyAddress(text)
    }
}

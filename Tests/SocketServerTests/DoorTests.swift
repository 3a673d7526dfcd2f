// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import CLinux
import Foundation
import MetricsText
import TestSupport
import Testing
import TokenCore

@testable import SocketServer

@Suite struct DoorTests {
    /// The descriptors that a wait tells of which does not wait.
    private func ready(_ poller: Poller) -> [Int32] {
        withUnsafeTemporaryAllocation(of: epoll_event.self, capacity: 4) { events in
            Array(poller.wait(using: events, atMost: 0))
        }
    }

    @Test func aDoorThatCannotBeOpenedIsShutForAWhileAndThenTriedAgain() throws {
        let connection = try EmbeddedConnection(board: BoardDouble())
        let service = connection.service
        let poller = try Poller(for: "test")
        defer { poller.end() }
        // Readable for ever, and nothing can be accepted from it.
        let broken = eventfd(1, Int32(EFD_NONBLOCK) | Int32(EFD_CLOEXEC))
        defer { close(broken) }
        try #require(poller.watch(broken))
        var door = Door(broken, poller, ConnectionRegistry(service.limits), service)
        defer { door.close() }
        #expect(ready(poller) == [broken])
        #expect(door.patience == nil)

        for length in [50, 100, 200] as [Int32] {
            door.open { _, _ in Issue.record("nobody is there") }
            door.beginTurn()
            #expect(ready(poller) == [], "the loop does not spin, however often it comes round")
            #expect(door.patience == length, "and comes round by itself")
            connection.clock.advance(by: .milliseconds(Int64(length)))
            door.beginTurn()
            #expect(ready(poller) == [broken])
            #expect(door.patience == nil)
        }
        #expect(connection.metrics.text.contains("\ntastytokend_accept_pauses_total 3\n"))
    }
}

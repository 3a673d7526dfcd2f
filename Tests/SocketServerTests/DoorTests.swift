// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import CLinux
import Foundation
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

    @Test func aDoorThatCannotBeOpenedIsShutForATurnAndThenTriedAgain() throws {
        let service = try EmbeddedConnection(board: BoardDouble()).service
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

        door.open { _, _ in Issue.record("nobody is there") }
        #expect(ready(poller) == [], "the loop does not spin")
        #expect(door.patience != nil, "and comes round by itself")

        door.beginTurn()
        #expect(ready(poller) == [broken])
        #expect(door.patience == nil)
    }
}

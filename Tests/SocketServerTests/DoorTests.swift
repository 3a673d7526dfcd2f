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

    /// Listens in the folder, with room for many.
    private func listener(in folder: String, _ name: String) throws -> Int32 {
        try ListeningSocket.open(.path("\(folder)/\(name)", mode: 0o600, group: nil), backlog: 256).descriptor
    }

    /// Connects, and waits to be let in; -1 if nobody listens.
    private func caller(in folder: String, _ name: String) throws -> Int32 {
        let descriptor = socket(AF_UNIX, UnixAddress.streamType, 0)
        if try UnixAddress("\(folder)/\(name)").withPointer({ connect(descriptor, $0, $1) }) == 0 { return descriptor }
        close(descriptor)
        return -1
    }

    private func withFolder(_ body: (String) throws -> Void) throws {
        let folder = try makeTemporaryFolder(for: "door")
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(folder)
    }

    @Test func allWhoWaitAtTheOldPlaceAreLetInBeforeItIsClosed() throws {
        try withFolder { folder in
            let service = try EmbeddedConnection(board: BoardDouble()).service
            let poller = try Poller(for: "test")
            defer { poller.end() }
            let (old, new) = (try listener(in: folder, "old"), try listener(in: folder, "new"))
            try #require(poller.watch(old))
            var door = Door(old, poller, ConnectionRegistry(service.limits), service)
            defer { door.close() }
            let callers = try (0..<200).map { _ in try caller(in: folder, "old") }
            defer { callers.forEach { close($0) } }
            try #require(callers.allSatisfy { $0 >= 0 })
            #expect(!door.isMoving)

            door.move(to: new)
            #expect(try caller(in: folder, "old") < 0, "nobody new comes there")
            var letIn: [Int32] = []
            defer { letIn.forEach { close($0) } }
            var turns = 0
            while door.isMoving, turns < 200 {
                #expect(door.listener == old)
                door.beginTurn()
                door.open { letIn.append($1) }
                turns += 1
            }
            #expect(letIn.count == 200 && turns > 1)
            #expect(door.listener == new)
            let late = try caller(in: folder, "new")
            defer { close(late) }
            #expect(ready(poller) == [new])
            door.open { letIn.append($1) }
            #expect(letIn.count == 201)
        }
    }

    @Test func aDoorThatIsShutMovesAfterwardsAndAtTheNextMoveAtTheLatest() throws {
        try withFolder { folder in
            let connection = try EmbeddedConnection(board: BoardDouble())
            let service = connection.service
            let poller = try Poller(for: "test")
            defer { poller.end() }
            let broken = eventfd(1, Int32(EFD_NONBLOCK) | Int32(EFD_CLOEXEC))
            let (second, third) = (try listener(in: folder, "second"), try listener(in: folder, "third"))
            try #require(poller.watch(broken))
            var door = Door(broken, poller, ConnectionRegistry(service.limits), service)
            defer { door.close() }
            door.open { _, _ in Issue.record("nobody is there") }
            let waiting = try caller(in: folder, "second")
            defer { close(waiting) }

            door.move(to: second)
            #expect(!door.isMoving && door.listener == broken, "it is shut, and the old place is kept")
            #expect(ready(poller) == [])
            connection.clock.advance(by: .milliseconds(50))
            door.beginTurn()
            #expect(door.isMoving && ready(poller) == [broken])
            door.open { _, _ in Issue.record("nobody is there") }
            #expect(!door.isMoving && door.listener == broken)

            door.move(to: third)
            #expect(door.listener == second)
            connection.clock.advance(by: .milliseconds(100))
            door.beginTurn()
            var letIn: [Int32] = []
            defer { letIn.forEach { close($0) } }
            door.open { letIn.append($1) }
            #expect(letIn.count == 1 && door.listener == third)
        }
    }

    @Test func whoIsRefusedCanStillSendHisRequestForAMoment() throws {
        try withFolder { folder in
            let connection = try EmbeddedConnection(board: BoardDouble())
            let poller = try Poller(for: "test")
            defer { poller.end() }
            var nobody = SocketLimits()
            nobody.connections = 0
            let listener = try listener(in: folder, "socket")
            var door = Door(listener, poller, ConnectionRegistry(nobody), connection.service)
            defer { door.close() }
            let first = try caller(in: folder, "socket")
            defer { close(first) }
            door.open { _, _ in Issue.record("there is no room") }

            #expect(canSend(on: first))
            #expect(try RawReply(received(on: first)).status == 503)
            #expect(door.patience == 1000)
            connection.clock.advance(by: .milliseconds(999))
            door.beginTurn()
            #expect(canSend(on: first) && door.patience == 1)
            connection.clock.advance(by: .milliseconds(1))
            door.beginTurn()
            #expect(!canSend(on: first) && door.patience == nil)

            let others = try (0...Farewells.most).map { _ in
                defer { door.open { _, _ in Issue.record("there is no room") } }
                return try caller(in: folder, "socket")
            }
            defer { others.forEach { close($0) } }
            #expect(others.map(canSend) == [false] + Array(repeating: true, count: Farewells.most), "no more are kept")
        }
    }

    private func canSend(on descriptor: Int32) -> Bool {
        send(descriptor, "GET /healthz HTTP/1.1\r\n", 23, Int32(MSG_NOSIGNAL)) == 23
    }

    /// All that comes before the end of input.
    private func received(on descriptor: Int32) -> String {
        var text = ""
        var bytes = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = recv(descriptor, &bytes, bytes.count, 0)
            guard count > 0 else { return text }
            text += String(decoding: bytes.prefix(count), as: UTF8.self)
        }
    }
}

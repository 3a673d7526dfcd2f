// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import NIOCore
import NIOEmbedded
import Testing
import TokenCore

@testable import SocketServer

@Suite struct ConnectionRegistryTests {
    private func caller(_ user: UInt32) -> Caller { Caller(process: 1, user: user, group: 0) }

    private func admit(_ user: UInt32, to registry: ConnectionRegistry) throws -> Connection {
        guard case .admitted(let connection) = registry.admit(caller(user)) else { throw Refused() }
        return connection
    }

    private struct Refused: Error {}

    @Test func capsHoldPerUserAndInAllAndRoomComesBack() throws {
        var limits = SocketLimits()
        (limits.connections, limits.connectionsPerUser) = (3, 2)
        let registry = ConnectionRegistry(limits)
        let first = try admit(1, to: registry)
        _ = try admit(1, to: registry)
        #expect(registry.admit(caller(1)) == .refused)
        _ = try admit(2, to: registry)
        #expect(registry.admit(caller(3)) == .refused)
        registry.leave(first)
        registry.leave(first)
        #expect(registry.count == 2, "a connection leaves once")
        _ = try admit(1, to: registry)
    }

    @Test func aConnectionThatWentBackOutlivesItsChannel() throws {
        let registry = ConnectionRegistry(SocketLimits())
        let channel = EmbeddedChannel()
        let connection = try admit(1, to: registry)
        #expect(!registry.follow(connection, on: channel))
        #expect(registry.onGeneralWay == 1)
        #expect(registry.release(connection))
        registry.lose(connection, on: channel)
        #expect(registry.count == 1)
        #expect(registry.onGeneralWay == 0)

        #expect(!registry.follow(connection, on: channel))
        registry.lose(connection, on: channel)
        #expect(registry.count == 0)
    }

    @Test func afterStopNobodyIsAdmittedOrSentBackAndTheEndIsTold() throws {
        let registry = ConnectionRegistry(SocketLimits())
        let loop = EmbeddedEventLoop()
        let channel = EmbeddedChannel(loop: loop)
        let connection = try admit(1, to: registry)
        channel.closeFuture.whenComplete { _ in registry.lose(connection, on: channel) }
        _ = registry.follow(connection, on: channel)
        registry.stop()
        #expect(registry.admit(caller(1)) == .refused)
        #expect(!registry.release(connection))
        #expect(registry.follow(connection, on: channel), "who comes to the general way now is told so")
        let isEmpty = NIOLoopBoundBox(false, eventLoop: loop)
        registry.emptied(on: loop).whenSuccess { isEmpty.value = true }
        #expect(!isEmpty.value)
        registry.closeAll()
        loop.run()
        #expect(isEmpty.value)
    }
}

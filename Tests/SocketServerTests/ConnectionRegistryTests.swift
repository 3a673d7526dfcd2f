// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import NIOCore
import NIOEmbedded
import Testing

@testable import SocketServer

@Suite struct ConnectionRegistryTests {
    @Test func capsHoldPerUserAndInAllAndRoomComesBack() throws {
        var limits = SocketLimits()
        (limits.connections, limits.connectionsPerUser) = (3, 2)
        let registry = ConnectionRegistry(limits)
        let loop = EmbeddedEventLoop()
        let channels = (0..<6).map { _ in EmbeddedChannel(loop: loop) }
        #expect(registry.admit(channels[0], of: 1) == .admitted)
        #expect(registry.admit(channels[1], of: 1) == .admitted)
        #expect(registry.admit(channels[2], of: 1) == .refused(isFirst: true))
        #expect(registry.admit(channels[2], of: 2) == .admitted)
        #expect(registry.admit(channels[3], of: 3) == .refused(isFirst: true), "there was room in between")
        #expect(registry.admit(channels[4], of: 3) == .refused(isFirst: false))
        _ = try channels[0].finish()
        loop.run()
        #expect(registry.count == 2)
        #expect(registry.admit(channels[5], of: 1) == .admitted)
    }

    @Test func afterStopNobodyIsAdmittedAndTheEndIsTold() throws {
        let registry = ConnectionRegistry(SocketLimits())
        let loop = EmbeddedEventLoop()
        let (first, late) = (EmbeddedChannel(loop: loop), EmbeddedChannel(loop: loop))
        #expect(registry.admit(first, of: 1) == .admitted)
        registry.stop()
        #expect(registry.admit(late, of: 1) == .refused(isFirst: true))
        let isEmpty = NIOLoopBoundBox(false, eventLoop: loop)
        registry.emptied(on: loop).whenSuccess { isEmpty.value = true }
        #expect(!isEmpty.value)
        registry.closeAll()
        loop.run()
        #expect(isEmpty.value)
    }
}

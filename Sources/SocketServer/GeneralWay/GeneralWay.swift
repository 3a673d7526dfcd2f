// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Glibc
import NIOCore
import NIOPosix

/// Takes connections over that need more than the short way gives, and puts them into NIO.
struct GeneralWay: Sendable {
    /// The event loops that they are spread over.
    let group: MultiThreadedEventLoopGroup
    /// What every connection works with.
    let service: SocketService
    /// The connections that are open.
    let registry: ConnectionRegistry
    /// Where connections go that ask for nothing but tokens again.
    let inbox: LoopInbox

    /// Takes a connection, from any thread; it ends with the connection, or when the connection goes back.
    func take(_ handover: Handover) {
        let high = service.limits.unwrittenBytes
        ClientBootstrap(group: group)
            .channelOption(.maxMessagesPerRead, value: 1)
            .channelOption(.allowRemoteHalfClosure, value: true)
            // Small, so that a caller who sends many requests at once does not take a whole turn of the loop for himself.
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 2 * 1024))
            .channelOption(.writeBufferWaterMark, value: .init(low: high / 4, high: high))
            .channelInitializer { channel in channel.eventLoop.makeCompletedFuture { try set(up: channel, handover) } }
            .withConnectedSocket(handover.descriptor)
            // NIO closes the descriptor of a channel that comes to nothing.
            .whenFailure { _ in registry.leave(handover.connection) }
    }

    private func set(up channel: any Channel, _ handover: Handover) throws {
        let connection = handover.connection
        let isStopping = registry.follow(connection, on: channel)
        channel.closeFuture.whenComplete { _ in registry.lose(connection, on: channel) }
        let gate = ConnectionGate(
            .caller(connection.caller),
            received: handover.received,
            unsent: handover.unsent,
            service: service,
            isStopping: isStopping
        ) { channel in
            giveBack(connection, on: channel)
        }
        try channel.pipeline.syncOperations.addHandler(gate)
    }

    /// Sends a connection with nothing outstanding back to the short way; false if it has to stay.
    private func giveBack(_ connection: Connection, on channel: any Channel) -> Bool {
        // The channel closes its descriptor; a duplicate keeps the connection open.
        let duplicate = try? channel.pipeline.syncOperations.withUnsafeTransportIfAvailable {
            (descriptor: NIOBSDSocket.Handle) in fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
        }
        guard let descriptor = duplicate.flatMap({ $0 }), descriptor >= 0 else { return false }
        guard registry.release(connection) else {
            close(descriptor)
            return false
        }
        channel.close(promise: nil)
        if !inbox.post(.takeBack(connection, descriptor: descriptor)) {
            close(descriptor)
            registry.leave(connection)
        }
        return true
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import NIOCore
import NIOPosix
import NIOSSL
import NIOTLS
package import TokenCore

/// Looks whether the endpoint's server can be reached and trusted, without asking it anything: TastyTrade blocks an address
/// that fails too often (fact sheet section 11), and a connection that only shakes hands can fail at nothing.
package struct EndpointProbe: Sendable {
    /// What was found at the other end.
    package struct Finding: Hashable, Sendable {
        /// The address that the name led to.
        package let address: String
        /// The TLS version in use; nil where there is none, as on loopback.
        package let tlsVersion: String?
    }

    /// The host's name or address.
    private let host: String
    private let port: Int
    /// Whether it speaks TLS.
    private let isSecure: Bool
    private let caFile: String?
    private let timeout: TimeAmount

    /// Prepares a look.
    ///
    /// - Parameters:
    ///   - host: the server's name or address, without brackets.
    ///   - port: its port.
    ///   - isSecure: whether it speaks TLS.
    ///   - caFile: authorities to trust instead of the system's (`tastytrade.caFile`).
    ///   - timeout: how long a connection may take, its name's resolution included, and then the handshake.
    package init(host: String, port: Int, isSecure: Bool, caFile: String?, timeout: Duration) {
        self.host = host
        self.port = port
        self.isSecure = isSecure
        self.caFile = caFile
        self.timeout = .nanoseconds(timeout.nanoseconds)
    }

    /// Connects, shakes hands, and closes.
    ///
    /// - Throws: a failure of kind `nameResolution`, `connect` or `tls`, with its words.
    package func run() async throws(RefreshFailure) -> Finding {
        do {
            let tls =
                isSecure ? try NIOSSLContext(configuration: TokenEndpointClient.tlsConfiguration(caFile: caFile)) : nil
            return try await connect(tls)
        } catch let failure as EndpointSetupFailure {
            throw RefreshFailure(.tls, text: failure.description)
        } catch {
            let place = SafeText("\(host):\(port)", toBytes: SafeText.quotationLimit).text
            throw TransportFault(error, wasSent: false).beforeSending(to: place)
        }
    }

    private func connect(_ tls: NIOSSLContext?) async throws -> Finding {
        let bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connectTimeout(timeout)
            // What the server says before it is listened for must not be lost.
            .channelOption(.autoRead, value: false)
        let channel = try await bootstrap.connect(host: host, port: port).get()
        let address = channel.remoteAddress?.ipAddress ?? "an address"
        guard let tls else {
            channel.close(promise: nil)
            return Finding(address: address, tlsVersion: nil)
        }
        let version = try await handshake(tls, on: channel)
        channel.close(promise: nil)
        return Finding(address: address, tlsVersion: version)
    }

    private func handshake(_ tls: NIOSSLContext, on channel: any Channel) async throws -> String {
        let done = channel.eventLoop.makePromise(of: String.self)
        let deadline = channel.eventLoop.scheduleTask(in: timeout) { done.fail(ChannelError.connectTimeout(timeout)) }
        channel.eventLoop.execute {
            do {
                // A name to be shown to the server must not be an address; an address is checked against the certificate.
                let name = (try? SocketAddress(ipAddress: host, port: port)) == nil ? host : nil
                try channel.pipeline.syncOperations.addHandlers(
                    NIOSSLClientHandler(context: tls, serverHostname: name),
                    HandshakeWitness(done)
                )
                channel.setOption(.autoRead, value: true).cascadeFailure(to: done)
            } catch {
                done.fail(error)
            }
        }
        defer { deadline.cancel() }
        do {
            return try await done.futureResult.get()
        } catch {
            channel.close(promise: nil)
            throw error
        }
    }
}

/// Sees a handshake's end.
private final class HandshakeWitness: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let done: EventLoopPromise<String>

    init(_ done: EventLoopPromise<String>) {
        self.done = done
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case TLSUserEvent.handshakeCompleted = event {
            let handler = try? context.pipeline.syncOperations.handler(type: NIOSSLClientHandler.self)
            done.succeed(handler?.tlsVersion.map { "\($0)" } ?? "TLS")
        }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        done.fail(error)
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        done.fail(ChannelError.eof)
        context.fireChannelInactive()
    }
}

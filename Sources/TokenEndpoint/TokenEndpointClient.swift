// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import AsyncHTTPClient
import NIOCore
import NIOSSL
package import TokenCore

/// The daemon's only caller of the token endpoint, on AsyncHTTPClient.
///
/// A refresh is a payment (architecture.md, decision 1), and a code is good for one use, so one call puts its request on the wire
/// once at most. AsyncHTTPClient follows redirects and repeats connection attempts if it is let; both are off here. It
/// never sends a request a second time over HTTP/1.1, and HTTP/2, where it would have to, is off as well.
package final class TokenEndpointClient: TokenRequesting {
    let configuration: EndpointConfiguration
    let clock: ClockReading
    private let clients: TrustedClients
    /// Where all calls are, and all connections with them, so that nothing comes between the end of a request and the library's knowing of
    /// it: where a reply was whole before that and its connection was closed then, AsyncHTTPClient 1.37 ended the process.
    private let eventLoop = HTTPClient.defaultEventLoopGroup.next()

    /// Prepares the client; nothing is connected before the first call. ``shutdown()`` must be called before the client
    /// is let go.
    ///
    /// - Parameters:
    ///   - configuration: deadlines, bounds and trust.
    ///   - clock: read just before each request, since a token's life counts from then.
    /// - Throws: if the file of authorities cannot be read.
    package init(
        _ configuration: EndpointConfiguration,
        clock: @escaping ClockReading
    ) throws(EndpointSetupFailure) {
        self.configuration = configuration
        self.clock = clock
        self.clients = try TrustedClients { () throws(EndpointSetupFailure) in
            HTTPClient(configuration: try Self.httpConfiguration(configuration))
        }
    }

    /// Makes one refresh call (RFC 6749 section 6; fact sheet section 4.1).
    ///
    /// Cancelling the task does not end the call: the reply may be the only copy of what the endpoint gave. It ends
    /// within the configured deadline in any case, or a few seconds of the process's running after it stood still beyond
    /// that (``CallDeadline``).
    package func refresh(
        _ refreshToken: Secret,
        of account: AccountAtHand = .none,
        for client: ClientRegistration
    ) async throws(RefreshFailure) -> TokenAnswer {
        try await tokens(for: TokenCall(refreshToken: refreshToken, client: client), of: account)
    }

    /// Makes one call of the token endpoint, and reads what it gave.
    func tokens(for call: TokenCall, of account: AccountAtHand) async throws(RefreshFailure) -> TokenAnswer {
        let exchange = TokenExchange(replyLimit: configuration.replyLimit)
        let request = try call.request(version: configuration.version, exchange: exchange)
        let sentAt = clock()
        let reply: TokenReply
        do throws(TransportFault) {
            reply = try await send(request, exchange, sentAt: sentAt)
        } catch {
            let failure = error.failure(for: call, at: clock().wall)
            let salvaged = account.held(for: .answering) {
                exchange.successSoFar.flatMap { TokenResponse($0).newRefreshToken(for: call) }
            }
            throw failure.carrying(salvaged)
        }
        return try account.held(for: .answering) { () throws(RefreshFailure) in
            try answer(reply, to: call, sentAt: sentAt)
        }
    }

    /// Sends a request once, within the deadline or the one that is given, and has the next one use other connections where this
    /// one's server fell silent or cannot be trusted.
    func send(
        _ request: HTTPClient.Request,
        _ exchange: TokenExchange,
        sentAt: Moment,
        within limit: Duration? = nil
    ) async throws(TransportFault) -> TokenReply {
        let reply: TokenReply
        do {
            reply = try await clients.withClient { http in
                let deadline = NIODeadline.now() + .nanoseconds((limit ?? configuration.timeout).nanoseconds)
                let running = http.execute(
                    request: request,
                    delegate: exchange,
                    eventLoop: .delegate(on: eventLoop)
                )
                CallDeadline.watch(running, until: deadline)
                return try await running.get()
            }
        } catch {
            let fault = TransportFault(error, exchange: exchange)
            if let reason = fault.reasonToRenew(sentAt: sentAt) { clients.renew(because: reason, at: clock()) }
            throw fault
        }
        clients.replied(at: clock())
        return reply
    }

    /// Ends all connections. Calls in flight fail with an unknown outcome, so it is called when there are none.
    package func shutdown() async {
        await clients.shutdown()
    }

    private func answer(
        _ reply: TokenReply,
        to call: TokenCall,
        sentAt: Moment
    ) throws(RefreshFailure) -> TokenAnswer {
        guard (200..<300).contains(reply.status) else {
            throw EndpointError(reply, receivedAt: clock().wall).failure(for: call)
        }
        switch TokenResponse(reply.body).read(call: call, sentAt: sentAt, bounds: configuration.lifetimeBounds) {
        case .answer(let answer):
            return answer
        case .unusable(let reason, let code, let newRefreshToken):
            throw RefreshFailure(
                .malformed,
                httpStatus: reply.status,
                code: code,
                text: reason,
                newRefreshToken: newRefreshToken
            )
        }
    }
}

extension TokenEndpointClient {
    private static func httpConfiguration(
        _ configuration: EndpointConfiguration
    ) throws(EndpointSetupFailure) -> HTTPClient.Configuration {
        var http = HTTPClient.Configuration(
            tlsConfiguration: try tlsConfiguration(caFile: configuration.caFile),
            redirectConfiguration: .disallow,
            timeout: .init(connect: .nanoseconds(configuration.connectTimeout.nanoseconds)),
            decompression: .disabled
        )
        http.httpVersion = .http1Only
        http.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = configuration.maxConnections
        // Whoever took the address in the meantime gets the next connection: one that is always in use would stay for ever.
        http.maximumUsesPerConnection = configuration.usesPerConnection
        http.connectionPool.idleTimeout = .nanoseconds(configuration.idleTimeout.nanoseconds)
        // The schedule tries again, with its backoff; here a failed attempt is told at once, with its own error.
        http.connectionPool.retryConnectionEstablishment = false
        http.tracing.tracer = nil
        http.http1_1ConnectionDebugInitializer = StatusGuard.install
        return http
    }

    /// How servers are trusted: by the authorities of a file, or the system's.
    static func tlsConfiguration(caFile: String?) throws(EndpointSetupFailure) -> TLSConfiguration {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.minimumTLSVersion = .tlsv12
        guard let caFile else { return tls }
        do {
            tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(caFile))
        } catch {
            let file = SafeText(caFile, toBytes: SafeText.quotationLimit)
            throw EndpointSetupFailure(description: "no certificates could be read from \(file) (tastytrade.caFile)")
        }
        return tls
    }
}

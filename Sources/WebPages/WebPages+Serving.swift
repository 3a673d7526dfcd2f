// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import ServiceLifecycle
import TokenCore

/// Listening.
extension WebPages {
    /// How many connections there may be; further ones wait until one ends.
    private static let mostConnections = 32
    /// Descriptors open at a time: connections, the listener, three of an event loop, and some being refused.
    package static let mostDescriptors = mostConnections + 8
    /// How many bytes the fields of a request may have. Browsers send some hundreds, and a cookie.
    private static let mostFieldBytes = 16_384

    /// Serves the pages until the service group that runs it shuts down, or its task is cancelled.
    ///
    /// An address that cannot be had is no reason to end the daemon: it is one warning, and this returns.
    package func run() async {
        defer { listening.set(false) }
        do {
            try await service().run()
        } catch is CancellationError {
            // Whoever ended it knows.
        } catch {
            logger.warning(
                "the web pages are off: their address cannot be listened on; free it or set web.listen to another, and start again",
                metadata: [
                    LogKey.event: "web.off", LogKey.address: "\(configuration.host):\(configuration.port)",
                    LogKey.error: "\(error)",
                ]
            )
        }
    }

    /// The pages as a server, which listens when it is run.
    func application() -> some ApplicationProtocol {
        Application(
            router: router(),
            server: server,
            configuration: ApplicationConfiguration(
                address: address,
                // Nobody is told what answers.
                serverName: nil,
                availableConnectionsDelegate: MaximumAvailableConnections(Self.mostConnections, logger: quiet)
            ),
            logger: quiet
        )
    }

    /// The same without the library's clock, which wakes the process up every second for the field `Date`, also when nobody asks.
    private func service() throws -> any Service {
        let responder = router().buildResponder()
        return try server.buildServer(
            configuration: ServerConfiguration(
                address: address,
                availableConnectionsDelegate: MaximumAvailableConnections(Self.mostConnections, logger: quiet)
            ),
            eventLoopGroup: EventLoopGroupProvider.singleton.eventLoopGroup,
            logger: quiet,
            responder: { [quiet, clock] request, writer, channel in
                let source = ApplicationRequestContextSource(channel: channel, logger: quiet)
                // What is thrown here is the connection's end: all else has become a page.
                var response = try await responder.respond(to: request, context: WebContext(source: source))
                response.headers[.date] = HTTPDate.text(clock().wall)
                try await writer.write(response: response.head, body: response.body)
            },
            onServerRunning: { [logger, configuration, listening] channel in
                listening.set(true)
                logger.notice(
                    "web pages are served",
                    metadata: [
                        LogKey.address: "\(channel.localAddress.flatMap(Self.words) ?? configuration.host)",
                        "web.public_url": "\(configuration.publicURL)",
                    ]
                )
            }
        )
    }

    private var address: BindAddress { .hostname(configuration.host, port: configuration.port) }

    private var server: HTTPServerBuilder {
        .http1(
            configuration: HTTP1Channel.Configuration(
                // For the fields of a request as well, and between two: whoever holds all connections without a word holds them no longer. Not
                // while a request is answered.
                idleTimeout: .seconds(10),
                httpDecoderConfiguration: .init(
                    maxHeaderFieldSize: Self.mostFieldBytes,
                    maxHeaderListSize: Self.mostFieldBytes,
                    maxHeaderFieldCount: 64
                )
            )
        )
    }

    /// For the library: what it says of connections that come and go is no operator's concern.
    private var quiet: Logger {
        var logger = logger
        logger.logLevel = max(logger.logLevel, .critical)
        return logger
    }

    private static func words(_ address: SocketAddress) -> String? {
        guard let host = address.ipAddress, let port = address.port else { return nil }
        return host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Hummingbird
import HummingbirdCore
import Logging
import TokenCore

/// Listening.
extension WebPages {
    /// How many connections there may be; further ones wait until one ends.
    private static let mostConnections = 64
    /// How many bytes the fields of a request may have. Browsers send some hundreds, and a cookie.
    private static let mostFieldBytes = 16_384

    /// Serves the pages until the service group that runs it shuts down, or its task is cancelled.
    ///
    /// An address that cannot be had is no reason to end the daemon: it is one warning, and this returns.
    package func run() async {
        do {
            try await application().run()
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
            server: .http1(
                configuration: HTTP1Channel.Configuration(
                    // Also for one that sends its request too slowly, and longer than a grant may take to be tried.
                    idleTimeout: .seconds(75),
                    httpDecoderConfiguration: .init(
                        maxHeaderFieldSize: Self.mostFieldBytes,
                        maxHeaderListSize: Self.mostFieldBytes,
                        maxHeaderFieldCount: 64
                    )
                )
            ),
            configuration: ApplicationConfiguration(
                address: .hostname(configuration.host, port: configuration.port),
                // Nobody is told what answers.
                serverName: nil,
                availableConnectionsDelegate: MaximumAvailableConnections(Self.mostConnections, logger: logger)
            ),
            logger: logger
        )
    }
}

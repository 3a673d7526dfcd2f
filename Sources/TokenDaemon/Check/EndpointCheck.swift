// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore
import TokenEndpoint

/// What `check` says of TastyTrade's endpoint: its name, the way to it, and whom its certificate proves it to be.
struct EndpointCheck: Sendable {
    private static let subject = "endpoint"

    private let settings: Configuration.TastyTrade
    private let timeout: Duration

    /// Looks at the endpoint that the configuration names.
    init(_ configuration: Configuration) {
        settings = configuration.tastytrade
        timeout = configuration.refresh.connectTimeout
    }

    /// Looks, within `refresh.connectTimeout` for the connection and as long for the handshake.
    func verdicts() async -> [Verdict] {
        // It was checked as it was read.
        guard let address = try? WebAddress(settings.apiURL) else { return [] }
        let isSecure = address.scheme == "https"
        let probe = EndpointProbe(
            host: address.host,
            port: address.port ?? (isSecure ? 443 : 80),
            isSecure: isSecure,
            caFile: settings.caFile,
            timeout: timeout
        )
        do throws(RefreshFailure) {
            return [verdict(on: try await probe.run())]
        } catch {
            return [Verdict(.fail, Self.subject, "\(settings.apiURL): \(error.text)", remedy: remedy(for: error.kind))]
        }
    }

    private func verdict(on finding: EndpointProbe.Finding) -> Verdict {
        let words = "\(settings.apiURL) (\(settings.environment.rawValue)) answers at \(finding.address)"
        guard let tls = finding.tlsVersion else { return Verdict(.ok, Self.subject, "\(words), without TLS") }
        let authorities = settings.caFile ?? "the system's authorities"
        return Verdict(.ok, Self.subject, "\(words), \(tls), its certificate is trusted by \(authorities)")
    }

    private func remedy(for kind: RefreshFailure.Kind) -> String {
        switch kind {
        case .nameResolution: "look at /etc/resolv.conf, or correct tastytrade.apiUrl"
        case .tls where settings.caFile != nil: "correct tastytrade.caFile, and look at this host's clock"
        case .tls: "install ca-certificates, or name the authority in tastytrade.caFile, and look at this host's clock"
        default: "look at network and firewall; TastyTrade blocks an address for hours after repeated failures"
        }
    }
}

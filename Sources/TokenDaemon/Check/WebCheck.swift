// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import SocketServer
import TokenCore
import WebPages

/// What `check` says of the address of the web pages; nothing where there are none.
struct WebCheck: Sendable {
    /// How long a daemon may take to give a page.
    private static let patience: Int32 = 2_000

    private let settings: Configuration.Web
    private let redirectURI: String
    private let clock: ClockReading

    /// Looks at the address that the configuration names.
    init(_ configuration: Configuration, clock: @escaping ClockReading) {
        self.clock = clock
        settings = configuration.web
        redirectURI = configuration.tastytrade.redirectURI
    }

    /// Looks, and asks who listens there already.
    func verdicts() async -> [Verdict] {
        guard settings.isEnabled else { return [] }
        let site = await BlockingCall(name: "web").run(within: .seconds(6)) { [settings, clock] in
            LoopbackSite.look(
                at: settings.listen.host,
                settings.listen.port,
                for: .pages(calledAs: settings.publicURL.authority),
                forMilliseconds: Self.patience,
                clock: clock
            )
        }
        return [Self.verdict(on: site, settings), Self.wayBack(to: redirectURI, settings)].compactMap(\.self)
    }

    /// Whether people come back to the pages whom they send to TastyTrade for the configuration's client.
    ///
    /// - Parameters:
    ///   - redirectURI: that client's.
    ///   - settings: where the pages are.
    /// - Returns: a slip, where it looks like one; that it is an application's, where it leads there; nil where they do.
    static func wayBack(to redirectURI: String, _ settings: Configuration.Web) -> Verdict? {
        let own = settings.publicURL.redirectURI
        guard redirectURI != own else { return nil }
        let text = "the client default comes back to \(redirectURI), and not to the pages"
        let host = (try? WebAddress(redirectURI))?.host
        guard host == settings.publicURL.host || host.map(LoopbackAddress.isLoopback) == true else {
            return Verdict(.ok, "web", "\(text): its accounts are connected there, and not on the pages")
        }
        return Verdict(
            .warn,
            "web",
            "\(text): they connect no account with it",
            remedy:
                "make tastytrade.redirectUri \(own), here and at TastyTrade, to the letter; or leave it, if an application is there"
        )
    }

    /// Nothing here fails: the daemon works without.
    static func verdict(on site: LoopbackSite?, _ settings: Configuration.Web) -> Verdict {
        let (subject, address) = ("web", settings.listen)
        let remedy = "stop what listens there, or choose another web.listen, or set web.enabled to false"
        switch site {
        case .free where leadsElsewhere(settings):
            return Verdict(
                .warn,
                subject,
                "\(address) can be listened at, but \(settings.publicURL) leads browsers to another port",
                remedy: "write the port of web.listen into web.publicUrl, unless a proxy or a tunnel stands between"
            )
        case .free: return Verdict(.ok, subject, "\(address) can be listened at, for \(settings.publicURL)")
        case .daemon: return Verdict(.ok, subject, "\(address): a daemon is running there, for \(settings.publicURL)")
        case .taken: return Verdict(.warn, subject, "\(address) is taken by another program", remedy: remedy)
        case .unusable(let reason):
            return Verdict(.warn, subject, "\(address) cannot be listened at: \(reason)", remedy: remedy)
        case nil: return Verdict(.warn, subject, "\(address) could not be looked at within 6 s")
        }
    }

    /// Whether browsers of this host are sent to a port where the daemon does not listen.
    private static func leadsElsewhere(_ settings: Configuration.Web) -> Bool {
        !settings.publicURL.isSecure && settings.publicURL.port != settings.listen.port
    }
}

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
    private let clock: ClockReading

    /// Looks at the address that the configuration names.
    init(_ configuration: Configuration, clock: @escaping ClockReading) {
        self.clock = clock
        settings = configuration.web
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
        return [Self.verdict(on: site, settings)]
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

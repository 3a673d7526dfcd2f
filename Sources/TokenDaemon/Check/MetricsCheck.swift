// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import SocketServer
import TokenCore

/// What `check` says of the address where metrics are to be served over TCP; nothing where they are on the socket alone.
struct MetricsCheck: Sendable {
    /// How long a daemon may take to give its metrics.
    private static let patience: Int32 = 2_000

    private let address: LoopbackAddress?
    private let clock: ClockReading

    /// Looks at the address that the configuration names.
    init(_ configuration: Configuration, clock: @escaping ClockReading) {
        self.clock = clock
        address = configuration.metrics.listen
    }

    /// Looks, and asks who listens there already.
    func verdicts() async -> [Verdict] {
        guard let address else { return [] }
        let site = await BlockingCall(name: "metrics").run(within: .seconds(6)) { [clock] in
            LoopbackSite.look(at: address, forMilliseconds: Self.patience, clock: clock)
        }
        return [Self.verdict(on: site, at: address)]
    }

    /// Nothing here fails: the daemon works without.
    static func verdict(on site: LoopbackSite?, at address: LoopbackAddress) -> Verdict {
        let subject = "metrics"
        let remedy =
            "stop what listens there, or choose another metrics.listen; until then they are on the socket alone"
        switch site {
        case .free where address.port == 0:
            return Verdict(
                .ok,
                subject,
                "\(address): the system chooses the port at each start, and the log says which"
            )
        case .free: return Verdict(.ok, subject, "\(address) can be listened at")
        case .daemon: return Verdict(.ok, subject, "\(address): a daemon is running there")
        case .taken: return Verdict(.warn, subject, "\(address) is taken by another program", remedy: remedy)
        case .unusable(let reason):
            return Verdict(.warn, subject, "\(address) cannot be listened at: \(reason)", remedy: remedy)
        case nil: return Verdict(.warn, subject, "\(address) could not be looked at within 6 s")
        }
    }
}

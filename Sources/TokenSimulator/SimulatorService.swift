// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Synchronization

/// What the server does about one request.
struct Delivery: Sendable {
    /// What goes out.
    enum Action: Sendable {
        /// A reply.
        case reply(SimulatedReply)
        /// RST.
        case reset
        /// Nothing, for as long as the client waits.
        case silence
        /// These bytes, and then the end or silence.
        case raw([UInt8], closes: Bool)
    }

    /// What goes out.
    let action: Action
    /// How a reply goes out.
    var manner: DeliveryManner = .whole
    /// How much later.
    var delay: Duration?
    /// The release that it waits for: the next one after so many; nil if it does not wait.
    var heldAfter: UInt64?
    /// To be handed to ``SimulatorService/end(_:)`` when it went out; nil for the control routes, which are not counted.
    var ticket: Ticket?

    /// A request that is being answered.
    struct Ticket: Sendable {
        /// The account of a token request.
        let account: String?
        /// The grant of a token request.
        var grantID: String?
    }
}

/// Decides what each request gets. All that changes lies behind one lock, held for no longer than a look-up; signing and
/// checking signatures happen outside it.
final class SimulatorService: Sendable {
    /// Makes and recognises tokens.
    let mint: TokenMint
    /// How long tokens live unless a fault says otherwise.
    let lifetime: Duration
    /// Which of TastyTrade's worlds it stands in for.
    let environment: SimulatedEnvironment
    /// How long a code can be exchanged.
    let codeLifetime: Duration
    /// Takes the whole endpoint down for a time; set by whoever owns the listening socket.
    let downSwitch = Mutex<(@Sendable (Duration) -> Void)?>(nil)
    private let clock: SimulatorClock
    private let state: Mutex<SimulatorState>

    /// Prepares the service; faults from the configuration are set at once.
    init(_ configuration: SimulatorConfiguration, clock: @escaping SimulatorClock) throws {
        self.mint = try TokenMint(keySeed: configuration.keySeed, issuer: configuration.issuer)
        self.lifetime = configuration.lifetime
        self.clock = clock
        self.environment = configuration.environment
        self.codeLifetime = configuration.codeLifetime
        let clients = try configuration.clients()
        self.state = Mutex(
            SimulatorState(keptRequests: configuration.keptRequests, seed: configuration.randomSeed, clients: clients)
        )
        for fault in configuration.faults { set(fault, for: .all) }
        for (account, faults) in configuration.accountFaults {
            for fault in faults { set(fault, for: .account(account)) }
        }
    }

    /// The time.
    var now: SimulatorInstant { clock() }

    /// Changes the state, and then tells those who waited for what the counts have become.
    func update<Result: Sendable>(_ change: (inout SimulatorState) -> Result) -> Result {
        let (result, counts, ready) = state.withLock { state in
            let result = change(&state)
            let ready = state.takeReadyWatchers()
            return (result, ready.isEmpty ? nil : state.journal.counts, ready)
        }
        for watcher in ready { watcher.continuation.resume(returning: counts) }
        return result
    }

    /// Whether a new connection is to be reset; `isOneTooMany` if there are as many as there may be.
    func resetsConnection(isOneTooMany: Bool) -> Bool {
        let now = clock()
        return update { state in
            let isReset = isOneTooMany || state.faults.outage(at: now) == .reset
            state.journal.connected(isReset: isReset)
            return isReset
        }
    }

    /// What is odd about the certificate that a new connection is shown; nil if nothing is.
    var certificate: OddCertificate? {
        let now = clock()
        return update { $0.faults.certificate(at: now) }
    }

    /// Decides about a request. `isTooLarge` if its body was longer than the bound, and was thrown away.
    func answer(_ request: SimulatedRequest, isTooLarge: Bool = false) -> Delivery {
        if request.path.hasPrefix(ControlRoutes.prefix) {
            return Delivery(action: .reply(ControlRoutes(service: self).answer(request)))
        }
        let now = clock()
        if let style = update({ $0.faults.outage(at: now) }) {
            let action: Delivery.Action = style == .reset ? .reset : .reply(.errorPage(ErrorPage(503)))
            return deliver(action, .outage, request, at: now)
        }
        if !request.hasUserAgent {
            return deliver(.reply(.page(401, "Authorization Required")), .userAgentRefused, request, at: now)
        }
        if isTooLarge {
            return deliver(.reply(.page(413, "Request Entity Too Large")), .tooLarge, request, at: now)
        }
        return route(request, at: now)
    }

    /// Notes that a request was answered, or will not be.
    func end(_ ticket: Delivery.Ticket?) {
        guard let ticket else { return }
        update { $0.journal.end(account: ticket.account, grantID: ticket.grantID) }
    }
}

extension SimulatorState {
    /// Takes out those whose counts have come about.
    fileprivate mutating func takeReadyWatchers() -> [CountsWatcher] {
        guard !watchers.isEmpty else { return [] }
        let ready = watchers.filter { $0.value.predicate(journal.counts) }
        for key in ready.keys { watchers[key] = nil }
        return Array(ready.values)
    }
}

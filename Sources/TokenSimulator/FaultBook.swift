// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// The faults that are set. For each request every part of the answer is decided by one fault at most: by the account's
/// own before those for all, and by the earlier before the later.
struct FaultBook {
    /// A fault that is set.
    struct Entry {
        /// Whom it strikes.
        let scope: FaultScope
        /// What it does.
        let mode: Fault.Mode
        /// How many more requests it strikes.
        var count: Int?
        /// When it ends.
        let endsAt: SimulatorInstant?
        /// The only kind of token request that it strikes; nil for all.
        let grantType: TokenGrantType?

        /// Whether it can strike a kind of request; nil is one that names none.
        func concerns(_ type: TokenGrantType?) -> Bool { grantType == nil || grantType == type }

        /// Whether it can still strike.
        func isOver(at now: SimulatorInstant) -> Bool {
            count == 0 || endsAt.map { $0 <= now } ?? false
        }
    }

    private var entries: [FaultScope: [Entry]] = [:]

    /// Sets a fault, beside those that are set.
    mutating func set(_ fault: Fault, for scope: FaultScope, at now: SimulatorInstant) {
        entries[scope, default: []].append(
            Entry(
                scope: scope,
                mode: fault.mode,
                count: fault.count,
                endsAt: fault.duration.map { now + $0 },
                grantType: fault.grantType
            )
        )
    }

    /// Clears the faults of one scope, or all there are.
    mutating func clear(_ scope: FaultScope?) {
        if let scope { entries[scope] = nil } else { entries = [:] }
    }

    /// The faults that can still strike.
    func active(at now: SimulatorInstant) -> [Entry] {
        entries.values.joined().filter { !$0.isOver(at: now) }
    }

    /// How the service is away, if it is. An outage counts no requests.
    func outage(at now: SimulatorInstant) -> OutageStyle? {
        for entry in entries[.all] ?? [] where !entry.isOver(at: now) {
            if case .outage(let style) = entry.mode { return style }
        }
        return nil
    }

    /// What is odd about the certificate. Connections are not counted.
    func certificate(at now: SimulatorInstant) -> OddCertificate? {
        for entry in entries[.all] ?? [] where !entry.isOver(at: now) {
            if case .certificate(let oddity) = entry.mode { return oddity }
        }
        return nil
    }

    /// Uses up one strike of a fault for all that refuses every caller's `User-Agent`; nil if there is none.
    mutating func strikeUserAgent(at now: SimulatorInstant) -> Fault.Mode? {
        guard var list = entries[.all],
            let index = list.firstIndex(where: {
                !$0.isOver(at: now) && $0.concerns(nil) && $0.mode.isRefusalOfUserAgent
            })
        else { return nil }
        list[index].count = list[index].count.map { $0 - 1 }
        entries[.all] = list
        return list[index].mode
    }

    /// Decides about one request of an account, and uses up one strike of each fault that takes part.
    mutating func strike(account: String?, _ type: TokenGrantType? = nil, at now: SimulatorInstant) -> FaultEffects {
        var effects = FaultEffects()
        guard !entries.isEmpty else { return effects }
        var decided: Set<FaultPart> = [.none]
        if let account { strike(.account(account), type, &effects, &decided, at: now) }
        strike(.all, type, &effects, &decided, at: now)
        return effects
    }

    private mutating func strike(
        _ scope: FaultScope,
        _ type: TokenGrantType?,
        _ effects: inout FaultEffects,
        _ decided: inout Set<FaultPart>,
        at now: SimulatorInstant
    ) {
        guard var list = entries[scope] else { return }
        list.removeAll { $0.isOver(at: now) }
        for index in list.indices where list[index].concerns(type) {
            guard decided.insert(Self.part(of: list[index])).inserted else { continue }
            effects.add(list[index].mode)
            list[index].count = list[index].count.map { $0 - 1 }
        }
        entries[scope] = list.isEmpty ? nil : list
    }

    /// An outage for all is looked at before anything else; for one account it is an answer like others.
    private static func part(of entry: Entry) -> FaultPart {
        if case .outage = entry.mode, entry.scope == .all { return .none }
        return entry.mode.part
    }
}

extension Fault.Mode {
    fileprivate var isRefusalOfUserAgent: Bool {
        if case .userAgentRefused = self { true } else { false }
    }
}

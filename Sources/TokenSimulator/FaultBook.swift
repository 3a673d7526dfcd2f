// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// The faults that are set. For each request every part of the answer is decided by one fault at most: by the account's
/// own before those for all, and by the earlier before the later.
struct FaultBook {
    /// What the faults make of one request.
    struct Effects {
        /// How much later the answer comes, drawn from this.
        var latency: ClosedRange<Duration>?
        /// Whether the answer waits to be released.
        var isHeld = false
        /// How long the access token lives.
        var lifetime: Duration?
        /// What comes instead of the ordinary answer.
        var answer: Fault.Mode?
    }

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

        /// Whether it can still strike.
        func isOver(at now: SimulatorInstant) -> Bool {
            count == 0 || endsAt.map { $0 <= now } ?? false
        }
    }

    private enum Part: Hashable {
        case latency
        case hold
        case lifetime
        case answer
        case none
    }

    private var entries: [FaultScope: [Entry]] = [:]

    /// Sets a fault, beside those that are set.
    mutating func set(_ fault: Fault, for scope: FaultScope, at now: SimulatorInstant) {
        entries[scope, default: []].append(
            Entry(scope: scope, mode: fault.mode, count: fault.count, endsAt: fault.duration.map { now + $0 })
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

    /// Decides about one request of an account, and uses up one strike of each fault that takes part.
    mutating func strike(account: String?, at now: SimulatorInstant) -> Effects {
        var effects = Effects()
        guard !entries.isEmpty else { return effects }
        var decided: Set<Part> = [.none]
        if let account { strike(.account(account), &effects, &decided, at: now) }
        strike(.all, &effects, &decided, at: now)
        return effects
    }

    private mutating func strike(
        _ scope: FaultScope,
        _ effects: inout Effects,
        _ decided: inout Set<Part>,
        at now: SimulatorInstant
    ) {
        guard var list = entries[scope] else { return }
        list.removeAll { $0.isOver(at: now) }
        for index in list.indices where decided.insert(Self.part(of: list[index])).inserted {
            Self.apply(list[index].mode, to: &effects)
            list[index].count = list[index].count.map { $0 - 1 }
        }
        entries[scope] = list.isEmpty ? nil : list
    }

    private static func part(of entry: Entry) -> Part {
        switch entry.mode {
        case .latency: .latency
        case .hold: .hold
        case .lifetime: .lifetime
        case .errorPage, .refusal, .reset, .raw: .answer
        // For all it is looked at before anything else; for one account it is an answer like others.
        case .outage: entry.scope == .all ? .none : .answer
        }
    }

    private static func apply(_ mode: Fault.Mode, to effects: inout Effects) {
        switch mode {
        case .latency(let range): effects.latency = range
        case .hold: effects.isHeld = true
        case .lifetime(let lifetime): effects.lifetime = lifetime
        case .errorPage, .refusal, .reset, .raw, .outage: effects.answer = mode
        }
    }
}

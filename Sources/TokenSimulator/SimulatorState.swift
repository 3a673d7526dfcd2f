// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// Everything that changes, behind the one lock of ``SimulatorService``.
struct SimulatorState {
    /// The faults that are set.
    var faults = FaultBook()
    /// The OAuth clients.
    var clients: ClientRegister
    /// Which grants are revoked.
    var ledger = GrantLedger()
    /// The codes of the authorize page.
    var codes = CodeLedger()
    /// What was asked.
    var journal: RequestJournal
    /// Where tokens' ids and latencies are drawn from.
    var random: SeededGenerator
    /// The access tokens that come again and again, by user.
    var repeated: [String: RepeatedToken] = [:]
    /// Answers that wait to be released.
    var held: [@Sendable () -> Void] = []
    /// How often held answers were released.
    var releases: UInt64 = 0
    /// Who waits for the counts to become something.
    var watchers: [UInt64: CountsWatcher] = [:]
    private var serial: UInt64 = 0

    /// Takes the bound of the journal, the seed and the clients.
    init(keptRequests: Int, seed: UInt64, clients: ClientRegister) {
        self.clients = clients
        self.journal = RequestJournal(capacity: keptRequests)
        self.random = SeededGenerator(seed: seed)
    }

    /// A number that no other has.
    mutating func nextSerial() -> UInt64 {
        serial += 1
        return serial
    }

    /// An id that no other token has: drawn, and numbered.
    mutating func nextID() -> String {
        TokenSerial.id(drawn: random.next(), serial: nextSerial())
    }
}

/// The number within a token's id.
enum TokenSerial {
    /// An id.
    static func id(drawn: UInt64, serial: UInt64) -> String {
        withUnsafeBytes(of: SIMD2(drawn, serial)) { Base64URL.encode($0) }
    }

    /// The number in an id; nil if that is none of ours.
    static func serial(of id: String) -> UInt64? {
        guard let bytes = Base64URL.decode(Array(id.utf8)), bytes.count == 16 else { return nil }
        return bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self) }
    }
}

/// An access token that comes again.
struct RepeatedToken: Sendable {
    /// The token.
    let token: String
    /// How long it lived from the beginning.
    let lifetime: Duration
    /// When it dies.
    let expiresAt: SimulatorInstant
}

/// Somebody who waits for the counts to become something.
struct CountsWatcher: Sendable {
    /// What they must become.
    let predicate: @Sendable (SimulatorCounts) -> Bool
    /// Takes the counts, or nil when the time is over.
    let continuation: CheckedContinuation<SimulatorCounts?, Never>
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import Logging
package import TokenCore

/// Connects accounts because a person said so: looks at what was entered, proves a grant by a refresh, and only then puts it into its row.
///
/// It makes its calls beside the engine's line: they are few (``ProofLedger``), and a person waits. What stops a client's calls stops them
/// too, and what comes of them the engine is told, as of what was written.
package actor AccountConnector {
    var configured: ConfiguredClient
    let store: any EnrollmentStoring
    let endpoint: any TokenRequesting
    let effects: Effects
    let clock: ClockReading
    let logger: Logger
    var proofs = ProofLedger()
    var unstored = UnstoredProofs()
    /// Whether the daemon is asked to end: then nothing new is begun.
    private(set) var isEnding = false
    /// Who waits for the last one that is under way.
    private var waiting: [CheckedContinuation<Void, Never>] = []

    /// Puts it together; nothing happens until it is asked.
    ///
    /// - Parameters:
    ///   - configured: the configuration's client.
    ///   - store: where accounts and clients are.
    ///   - endpoint: who asks for tokens.
    ///   - effects: what the engine is told.
    ///   - clock: both clocks.
    ///   - logger: told what operators want to know.
    package init(
        _ configured: ConfiguredClient,
        store: any EnrollmentStoring,
        endpoint: any TokenRequesting,
        effects: Effects,
        clock: @escaping ClockReading,
        logger: Logger
    ) {
        self.configured = configured
        self.store = store
        self.endpoint = endpoint
        self.effects = effects
        self.clock = clock
        self.logger = logger
    }

    /// Goes on with another secret of the configuration's client.
    ///
    /// - Parameter secret: that one.
    package func replaceSecret(with secret: Secret) {
        configured = configured.with(secret)
    }

    /// Begins nothing new from now on: what is under way is to come into its row before the daemon ends.
    package func end() { isEnding = true }

    /// Waits until nothing is under way any more: no grant is being proved, no code exchanged, and all are stored that were.
    package func untilIdle() async {
        guard !proofs.isIdle else { return }
        await withCheckedContinuation { waiting.append($0) }
    }

    /// Has nobody wait any longer for what is under way.
    package func letGo() {
        for continuation in waiting { continuation.resume() }
        waiting = []
    }

    /// A proof of that user's, or what came before it, is over.
    func endProof(of user: UserID) {
        proofs.end(user, at: clock())
        if proofs.isIdle { letGo() }
    }
}

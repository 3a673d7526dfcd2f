// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Synchronization

/// What a test, a demo or a control route can do with a running simulator.
extension SimulatorService {
    /// A new grant for a user, by the first client and with all that it may allow unless told otherwise.
    func makeGrant(for user: String, client id: String? = nil, scope: String? = nil) throws -> String {
        if let scope { try ScopeText.check(scope) }
        let now = self.now
        let grant: TokenMint.NewGrant? = update { state in
            guard let client = state.clients.client(id) else { return nil }
            let grantID = state.nextID()
            state.ledger.made(grantID: grantID, for: user, client: client.id)
            return TokenMint.NewGrant(user: user, clientID: client.id, id: grantID, scope: scope ?? client.scope)
        }
        guard let grant else { throw SimulatorFailure("there is no client with the id \(id ?? "")") }
        return try mint.refreshToken(saying: mint.claims(of: grant, issuedAt: now))
    }

    /// Registers a client, or changes the one that has its id; `killingGrants` revokes those that it has now.
    func register(_ client: SimulatedClient, killingGrants: Bool) throws(SimulatorFailure) {
        try client.check()
        let now = self.now
        update { state in
            state.clients.register(client)
            if killingGrants { state.ledger.revokeAll(ofClient: client.id, at: now) }
        }
    }

    /// Revokes every grant that the user has now.
    func revokeGrants(of user: String) {
        let now = self.now
        update { $0.ledger.revokeAll(of: user, at: now) }
    }

    /// Revokes one grant; false if the refresh token is none of ours.
    func revoke(refreshToken: String) -> Bool {
        guard let grant = grant(of: refreshToken) else { return false }
        update { $0.ledger.revoke(grantID: grant.grant_id) }
        return true
    }

    /// Makes the user's grants good again.
    func restoreGrants(of user: String) {
        update { $0.ledger.restoreAll(of: user) }
    }

    /// Sets a fault beside those that are set.
    func set(_ fault: Fault, for scope: FaultScope) {
        let now = self.now
        update { $0.faults.set(fault, for: scope, at: now) }
    }

    /// Clears the faults of one scope, or all there are. Held answers go out.
    func clearFaults(_ scope: FaultScope?) {
        update { state in
            state.faults.clear(scope)
            if case .account(let user) = scope { state.repeated[user] = nil } else { state.repeated = [:] }
        }
        releaseHeld()
    }

    /// Lets an answer wait until it is released, unless that happened since it was decided to hold it.
    func hold(after release: UInt64, _ resume: @escaping @Sendable () -> Void) {
        let waits = update { state in
            guard state.releases == release else { return false }
            state.held.append(resume)
            return true
        }
        if !waits { resume() }
    }

    /// Lets all held answers go out.
    func releaseHeld() {
        let held = update { state in
            defer { state.held = [] }
            state.releases += 1
            return state.held
        }
        for resume in held { resume() }
    }

    /// Registers somebody who waits for the counts, unless they are so already; the number takes him out again.
    func watch(_ watcher: CountsWatcher) -> UInt64 {
        update { state in
            let number = state.nextSerial()
            state.watchers[number] = watcher
            return number
        }
    }

    /// Ends a watcher's wait without what it waited for, if it still waits.
    func giveUp(_ number: UInt64) {
        update { $0.watchers.removeValue(forKey: number) }?.continuation.resume(returning: nil)
    }
}

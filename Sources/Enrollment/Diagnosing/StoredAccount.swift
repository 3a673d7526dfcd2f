// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import GrantInspection
import TokenCore

/// What the database holds of an account, read at once.
struct StoredAccount {
    /// Its row.
    let row: GrantRow
    /// What stands in the refresh token's column; nil if nothing does, or nothing that can be read.
    let refreshToken: Secret?
    /// The OAuth clients besides the configuration's.
    let clients: [StoredClient]

    /// Reads it; nil if there is no such row.
    init?(_ user: UserID, in store: any EnrollmentStoring) async throws(StoreFailure) {
        guard let row = try await store.rows(of: [user]).first else { return nil }
        self.row = row
        refreshToken = try await store.grants(of: [user]).first.flatMap { try? $0.refreshToken.get() }
        clients = try await store.clients()
    }

    /// What its tokens say of themselves.
    ///
    /// - Parameters:
    ///   - client: the client of the grant.
    ///   - refreshedAt: when a refresh last gave a token.
    ///   - now: this host's time.
    /// - Returns: what was found in either column; where nothing is wrong, that is said.
    func findings(
        for client: InspectedClient,
        lastRefreshedAt refreshedAt: WallTime?,
        at now: WallTime
    ) -> [DiagnosisFinding] {
        var findings: [DiagnosisFinding] = []
        if let refreshToken {
            let found = client.findings(onRefreshToken: refreshToken, at: now).filter {
                // What was refreshed since outlived the change.
                $0.code != .olderThanSecret || !wasRefreshed(since: client.secretReplacedAt, refreshedAt)
            }
            findings += Self.graded(found, else: .refreshTokenIsSound)
        }
        if let token = row.accessToken {
            let found = client.findings(onAccessToken: token, endingAt: row.expiresAt)
            findings += Self.graded(found, else: .accessTokenIsSound)
        }
        return findings
    }

    private func wasRefreshed(since change: WallTime?, _ refreshedAt: WallTime?) -> Bool {
        guard let change, let refreshedAt else { return false }
        return refreshedAt > change
    }

    private static func graded(_ found: [Finding], else sound: DiagnosisFinding) -> [DiagnosisFinding] {
        let isSound = (found.worst ?? .note) == .note
        return (isSound ? [sound] : []) + found.map(DiagnosisFinding.init)
    }
}

extension DiagnosisFinding {
    /// What was found by looking at a value.
    init(_ finding: Finding) {
        let grade: Grade =
            switch finding.severity {
            case .note: .note
            case .warning: .warn
            case .fault: .fail
            }
        self.init(grade, finding.code.rawValue, finding.problem, remedy: finding.remedy)
    }
}

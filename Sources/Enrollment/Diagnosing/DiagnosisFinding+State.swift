// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import GrantInspection
import TokenCore

// How the account stands, in the engine's words, and why its last refresh failed.

extension GrantExplanation {
    /// The status, and what the last failure means.
    var findings: [DiagnosisFinding] {
        let status = DiagnosisFinding(
            report.status.grade,
            "status_\(report.status.rawValue)",
            reason,
            remedy: remedy,
            // A failure that stays says so itself.
            mayPass: report.status == .expired
        )
        guard let failure, status.grade > .note else { return [status] }
        return [status, DiagnosisFinding(failure, report)]
    }
}

extension GrantStatus {
    fileprivate var grade: DiagnosisFinding.Grade {
        switch self {
        case .active, .refreshing: .ok
        case .degraded: .warn
        case .expired, .reauthorizationRequired, .unknownOutcome, .unreadable, .noGrant: .fail
        }
    }
}

extension DiagnosisFinding {
    /// What a failed refresh means.
    fileprivate init(_ failure: RefreshFailure, _ report: GrantReport) {
        let words = Explanation(of: failure, in: report.environment, for: report.client)
        // Nginx, and no verdict: it says nothing of the token (fact sheet section 4.3).
        let isUserAgent = failure.kind == .gateway && failure.httpStatus == 401
        self.init(
            report.status.grade,
            isUserAgent ? "refresh_user_agent_refused" : "refresh_\(failure.kind.rawValue)",
            "\(words.title): \(words.whatHappened)",
            remedy: words.whatToDo,
            mayPass: failure.kind.mayPass
        )
    }
}

extension RefreshFailure.Kind {
    /// Whether it may be over without anybody having done anything on this side.
    fileprivate var mayPass: Bool {
        switch self {
        case .throttled, .serverFault, .nameResolution, .connect, .timeout, .connectionLost, .storeUnavailable,
            .callUnderWay:
            true
        case .grantRefused, .clientRefused, .requestRejected, .gateway, .redirected, .malformed, .tls, .storeRejected,
            .journalUnavailable, .noProgress:
            false
        }
    }
}

extension DiagnosisFinding {
    /// The daemon does not know the row yet.
    static let notTakenUp = DiagnosisFinding(
        .warn,
        "row_not_taken_up",
        "The row is there, and the daemon has not taken it up yet.",
        remedy: "Wait for database.reconcileEvery, or have changes told at once: tastytokend migrate."
    )

    /// The daemon knows a row that is not there any more.
    static let rowIsGone = DiagnosisFinding(
        .warn,
        "row_gone",
        "The row is gone from the table, and the daemon has not learnt of it yet.",
        remedy: "Nothing, if it was meant to be deleted; else the application has to make it again."
    )

    /// The row could not be read.
    static func databaseIsAway(_ failure: StoreFailure) -> DiagnosisFinding {
        DiagnosisFinding(
            .warn,
            "database_unavailable",
            "The row could not be read, so that its tokens were not looked at: \(failure)",
            remedy: "See to the database: tastytokend check says more.",
            mayPass: failure.kind != .misconfigured
        )
    }

    /// Nothing is wrong with the refresh token, as far as it says.
    static let refreshTokenIsSound = DiagnosisFinding(
        .ok,
        "refresh_token_sound",
        "Nothing is wrong with the refresh token in the row, as far as it tells by itself."
    )

    /// The same of the access token.
    static let accessTokenIsSound = DiagnosisFinding(
        .ok,
        "access_token_sound",
        "Nothing is wrong with the access token in the row, as far as it tells by itself."
    )

    /// The same of the client.
    static func clientIsSound(_ client: ClientRegistration) -> DiagnosisFinding {
        DiagnosisFinding(
            .ok,
            "client_sound",
            "Nothing is wrong with the OAuth client \(client.name) (\(client.environment.rawValue)), as far as can be seen."
        )
    }

    /// The row's client is not among those there are.
    static func clientIsUnknown(_ name: String) -> DiagnosisFinding {
        DiagnosisFinding(
            .fail,
            "client_unknown",
            "The grant is of an OAuth client that is not there any more: \(SafeText(foreign: name).text).",
            remedy: "Put it in again with tastytoken client set, or connect the account with another client."
        )
    }

    /// The client cannot be used.
    static func clientIsObstructed(_ name: String, _ obstacle: String) -> DiagnosisFinding {
        DiagnosisFinding(
            .fail,
            "client_unusable",
            "The OAuth client \(name) cannot be used: \(obstacle).",
            remedy: "Put the missing key back (docs/encryption.md), or set the secret again with tastytoken client set."
        )
    }
}

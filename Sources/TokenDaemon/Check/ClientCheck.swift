// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import GrantInspection
import TokenCore

/// What `check` says of the configuration's OAuth client, as far as it can be known without asking TastyTrade.
struct ClientCheck: Sendable {
    private static let subject = "client"

    private let settings: Configuration.TastyTrade

    /// Looks at the client that the configuration names.
    init(_ configuration: Configuration) {
        settings = configuration.tastytrade
    }

    /// A line for each thing that is wrong or may be; else that nothing is.
    func verdicts() -> [Verdict] {
        let findings = InspectedClient(settings).settingFindings
        return Self.verdicts(on: findings, settings)
    }

    /// That the way back is on this host is so by default, and worth a word only to who connects an account.
    private static func verdicts(on findings: [Finding], _ settings: Configuration.TastyTrade) -> [Verdict] {
        let findings = findings.filter { $0.code != .redirectLoopback }
        guard findings.isEmpty else {
            return findings.map { Verdict(grade(of: $0), subject, $0.problem, remedy: $0.remedy) }
        }
        let name = settings.clientID.map { "id \($0)" } ?? "no id"
        return [
            Verdict(
                .ok,
                subject,
                "\(name), \(settings.environment.rawValue); nothing unusual in its id, secret and addresses"
            )
        ]
    }

    private static func grade(of finding: Finding) -> Verdict.Grade {
        switch finding.severity {
        case .fault: .fail
        case .warning: .warn
        case .note: .ok
        }
    }
}

extension InspectedClient {
    /// Takes the client that the configuration describes.
    init(_ settings: Configuration.TastyTrade) {
        self.init(
            settings.registration(settings.clientSecret ?? Secret("")),
            redirectURI: settings.redirectURI,
            scopes: settings.scopes
        )
    }
}

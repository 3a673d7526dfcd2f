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

    /// What is merely worth knowing is left to who asks about an account.
    private static func verdicts(on findings: [Finding], _ settings: Configuration.TastyTrade) -> [Verdict] {
        let slips = findings.filter { $0.severity > .note }
        guard slips.isEmpty else {
            return slips.map { finding in
                Verdict(finding.severity == .fault ? .fail : .warn, subject, finding.problem, remedy: finding.remedy)
            }
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

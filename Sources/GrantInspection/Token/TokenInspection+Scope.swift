// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

// What does it allow?

extension TokenInspection {
    /// One finding for each scope that is wanted and missing. A token that does not say what it allows may allow everything.
    func scopeFindings(_ contents: TokenContents) -> [Finding] {
        guard let allowed = contents.scopes else { return [] }
        var asked: Set<String> = []
        return wantedScopes.filter { asked.insert($0).inserted && !allowed.contains($0) }.map(lack)
    }

    private func lack(_ scope: String) -> Finding {
        let known = KnownScope(rawValue: scope)
        let lack = known?.lack ?? "what needs it will be refused"
        return Finding(
            known?.lackCode ?? .scopeLacksOther,
            "The grant does not allow \(quotation.word(scope)). Without it, \(lack).",
            remedy: remedy(known)
        )
    }

    private func remedy(_ scope: KnownScope?) -> String {
        switch scope {
        case .read, .trade:
            "Tick it for the application at \(client.environment.applicationsPage), then make a new grant. "
                + "TastyTrade lets only people with two-factor authentication grant it."
        case .openid: "Nothing, or leave it out of the scopes that are asked for."
        case nil: "Leave it out of the scopes that are asked for, unless TastyTrade has it by now."
        }
    }
}

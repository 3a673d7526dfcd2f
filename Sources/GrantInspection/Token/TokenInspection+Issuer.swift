// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

// In which of the two environments was it made? They share nothing: a grant of one is refused by the other.

extension TokenInspection {
    /// Hosts may have other names than they are called by, even in production, so only two that are both known, and of two
    /// environments, are a fault (fact sheet section 5).
    func issuerFindings(_ contents: TokenContents) -> [Finding] {
        guard let issuer = contents.issuer, let theirs = KnownHost(ofAddress: issuer) else { return [] }
        let ours = KnownHost(ofAddress: client.apiURL)
        guard let made = theirs.environment else {
            // A simulator of this machine, by whichever name.
            let isOurs = theirs == ours || (theirs.isLoopback && ours?.isLoopback == true)
            return isOurs ? [] : [unknownIssuer(theirs)]
        }
        guard let called = ours?.environment else {
            return made == client.environment ? [] : [inDoubt(theirs, made)]
        }
        return made == called ? [] : [otherEnvironment(theirs, made, ours, called)]
    }

    private func otherEnvironment(
        _ theirs: KnownHost,
        _ made: TradeEnvironment,
        _ ours: KnownHost?,
        _ called: TradeEnvironment
    ) -> Finding {
        Finding(
            .grantOfOtherEnvironment,
            "The grant was made in \(made.rawValue) (by \(host(theirs))), and client \(clientName) belongs to "
                + "\(called.rawValue) (\(ours.map(host) ?? "")). The two share no grants.",
            remedy: "Use a client of \(made.rawValue), or \(called.makeAGrant)"
        )
    }

    private func inDoubt(_ theirs: KnownHost, _ made: TradeEnvironment) -> Finding {
        Finding(
            .environmentInDoubt,
            "The grant was made in \(made.rawValue) (by \(host(theirs))), and client \(clientName) is set to "
                + "\(client.environment.rawValue); its API address is none of TastyTrade's, so this may be meant.",
            remedy:
                "If calls are passed on to TastyTrade from there, make the grant in the environment that they end in."
        )
    }

    private func unknownIssuer(_ theirs: KnownHost) -> Finding {
        Finding(
            .issuerUnknown,
            "The token was made by \(host(theirs)), which is not known to be TastyTrade's.",
            remedy: "Nothing, if you know that host; else make sure that the token is TastyTrade's."
        )
    }

    private func host(_ host: KnownHost) -> String { quotation.plain(host.name) }
}

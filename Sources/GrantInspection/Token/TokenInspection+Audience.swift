// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

// For which client was it made? `aud` of TastyTrade's refresh tokens is the client id (fact sheet section 5).

extension TokenInspection {
    /// The longest list of clients that is shown.
    private static let shown = 3

    /// No fault: a refresh does not send the client id, so that a wrong one here does no harm if the secret is the right one.
    func audienceFindings(_ contents: TokenContents) -> [Finding] {
        guard !contents.audience.isEmpty else { return [] }
        let theirs = contents.audience.prefix(Self.shown).map(quotation.clientID).joined(separator: ", ")
        guard let ours = client.clientID, !ours.isEmpty else { return [unchecked(theirs)] }
        // Hexadecimal digits of a UUID may be written either way.
        if contents.audience.contains(where: { $0.lowercased() == ours.lowercased() }) { return [] }
        return [
            Finding(
                .grantOfOtherClient,
                "The grant was made for another client: the token names client id \(theirs), "
                    + "and client \(clientName) has \(quotation.clientID(ours)).",
                remedy:
                    "Make the grant under the application of client \(clientName), or give the client the id and the secret "
                    + "of the application that the grant was made for."
            )
        ]
    }

    private func unchecked(_ theirs: String) -> Finding {
        Finding(
            .audienceUnchecked,
            "The grant was made for client id \(theirs); client \(clientName) has no client id here to compare it with.",
            remedy: "See whether that is your application's, and set the client id."
        )
    }
}

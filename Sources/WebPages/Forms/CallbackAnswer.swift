// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Hummingbird
import TokenCore

/// What somebody brings along from TastyTrade (RFC 6749, sections 4.1.2 and 4.1.2.1). What else stands in the address is left aside,
/// `error_description` too: anybody can write such an address and have it opened here.
struct CallbackAnswer {
    /// The longest state, in bytes; ours have 43.
    static let longestState = 256
    /// The longest code, in bytes.
    static let longestCode = 4096
    /// The longest error, in bytes; those that are known have less than 30.
    static let longestError = 256

    /// What was sent along and came back.
    let state: Secret
    /// What TastyTrade says.
    let end: AuthorizationEnd

    /// Reads the query of the address, or the form that is made of it.
    ///
    /// - Parameter fields: what came.
    /// - Throws: a page that says what is missing in it.
    init(_ fields: FormFields) throws(PageFailure) {
        let (state, code, error) = (fields["state"], fields["code"], fields["error"])
        guard !state.isEmpty else { throw Self.noState }
        guard state.utf8.count <= Self.longestState, code.utf8.count <= Self.longestCode,
            error.utf8.count <= Self.longestError
        else { throw Self.tooLong }
        self.state = Secret(state)
        // Whoever is told of an error is not to connect anything, whatever else he is told.
        if !error.isEmpty {
            end = .error(error)
        } else if !code.isEmpty {
            end = .code(Secret(code))
        } else {
            throw Self.noAnswer
        }
    }

    private static let again =
        "Go back and follow the link to TastyTrade again. Once there, do not change the address that it sends you to."

    private static let noState = PageFailure(
        .badRequest,
        "It is not known what was begun",
        "TastyTrade sends people here with a state, by which it is known what they went for. There is none in this address. Nothing was "
            + "connected.",
        again
    )

    private static let noAnswer = PageFailure(
        .badRequest,
        "TastyTrade’s answer is missing",
        "TastyTrade sends people here with a code, or with an error. There is neither in this address. Nothing was connected.",
        again
    )

    private static let tooLong = PageFailure(
        .badRequest,
        "This is no answer of TastyTrade’s",
        "Something in this address is longer than TastyTrade makes it. Nothing was connected.",
        again
    )
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// Every finding that there is. The raw values are part of the API, and stay as they are.
package enum FindingCode: String, Sendable, CaseIterable {
    // What was taken off a pasted value (PastedGrant).

    /// White space, or characters that cannot be seen, stood around it.
    case trimmedSpace = "trimmed_space"
    /// It stood in quotes.
    case trimmedQuotes = "trimmed_quotes"
    /// `Bearer` stood before it.
    case trimmedBearer = "trimmed_bearer"
    /// Its name stood before it: `refresh_token=`.
    case trimmedName = "trimmed_name"
    /// It was the member `refresh_token` of a JSON object.
    case takenFromJSON = "taken_from_json"

    // What cannot be a token (PastedGrant).

    /// Nothing is left.
    case tokenEmpty = "token_empty"
    /// It is longer than any token.
    case tokenTooLong = "token_too_long"
    /// White space or a line break stands in it.
    case tokenBroken = "token_broken"
    /// A control character stands in it.
    case tokenHasControl = "token_has_control_characters"
    /// A character stands in it that is not of ASCII.
    case tokenNotASCII = "token_not_ascii"
    /// A JSON object that has no refresh token, or cannot be read.
    case jsonUnclear = "json_unclear"

    // What is another thing than a refresh token (TokenInspection+Kind).

    /// The client's own id.
    case clientIDPasted = "client_id_pasted"
    /// The client's own secret.
    case clientSecretPasted = "client_secret_pasted"
    /// The address to which TastyTrade sends people back, with an authorization code.
    case redirectPasted = "redirect_pasted"
    /// Another address.
    case addressPasted = "address_pasted"
    /// An access token, by its own header.
    case accessTokenPasted = "access_token_pasted"
    /// An identity token, by its claims.
    case identityTokenPasted = "identity_token_pasted"
    /// Has the form of a client id.
    case looksLikeClientID = "looks_like_client_id"
    /// Has the form of a client secret.
    case looksLikeClientSecret = "looks_like_client_secret"
    /// Is no JWT, as TastyTrade's refresh tokens are.
    case notAJWT = "not_a_jwt"
    /// Is a JWT that is encrypted.
    case tokenEncrypted = "token_encrypted"
    /// Is a JWT of another type than TastyTrade's refresh tokens.
    case typeUnusual = "type_unusual"
    /// Its end is missing.
    case tokenTruncated = "token_truncated"
    /// Begins as a JWT, and is none.
    case tokenDamaged = "token_damaged"

    // What a refresh token says of itself (TokenInspection+Audience and others).

    /// Was made for another client.
    case grantOfOtherClient = "grant_of_other_client"
    /// Names its client, and there is no client id here to compare.
    case audienceUnchecked = "audience_unchecked"
    /// Was made in the other environment.
    case grantOfOtherEnvironment = "grant_of_other_environment"
    /// Was made in the other environment, as far as is known where calls go.
    case environmentInDoubt = "environment_in_doubt"
    /// Was made by a host that is not known.
    case issuerUnknown = "issuer_unknown"
    /// Does not allow `read`.
    case scopeLacksRead = "scope_lacks_read"
    /// Does not allow `trade`.
    case scopeLacksTrade = "scope_lacks_trade"
    /// Does not allow `openid`.
    case scopeLacksOpenID = "scope_lacks_openid"
    /// Does not allow something else that is wanted.
    case scopeLacksOther = "scope_lacks_other"
    /// Its end has come.
    case tokenExpired = "token_expired"
    /// Was made in the future.
    case issuedInFuture = "issued_in_future"
    /// Is older than the client's secret.
    case olderThanSecret = "older_than_secret"

    // What stands in a row (StoredTokenInspection).

    /// A column holds more than the token.
    case storedTokenUnclean = "stored_token_unclean"
    /// The access token's column holds a refresh token.
    case refreshTokenAsAccessToken = "refresh_token_as_access_token"
    /// The access token was made in the other environment.
    case accessTokenOfOtherEnvironment = "access_token_of_other_environment"
    /// The access token was made for another client.
    case accessTokenOfOtherClient = "access_token_of_other_client"
    /// The row gives the access token another end than it has.
    case accessTokenEndsOtherwise = "access_token_ends_otherwise"

    // Settings of a client (ClientInspection, RedirectInspection, ScopeInspection).

    /// There is no client id.
    case clientIDMissing = "client_id_missing"
    /// White space or quotes are part of it, or other characters that no client id has.
    case clientIDUnclean = "client_id_unclean"
    /// Is a token.
    case clientIDIsToken = "client_id_is_token"
    /// Has the form of a client secret.
    case clientIDLooksLikeSecret = "client_id_looks_like_secret"
    /// Has not the form of TastyTrade's client ids.
    case clientIDUnusual = "client_id_unusual"
    /// There is no client secret.
    case clientSecretMissing = "client_secret_missing"
    /// White space or quotes are part of it, or other characters that no secret has.
    case clientSecretUnclean = "client_secret_unclean"
    /// Is a token.
    case clientSecretIsToken = "client_secret_is_token"
    /// Is the client id.
    case clientSecretIsClientID = "client_secret_is_client_id"
    /// Has the form of a client id.
    case clientSecretLooksLikeID = "client_secret_looks_like_client_id"
    /// Has not the form of TastyTrade's client secrets.
    case clientSecretUnusual = "client_secret_unusual"
    /// Is no whole address.
    case redirectNoAddress = "redirect_no_address"
    /// Has a fragment.
    case redirectHasFragment = "redirect_has_fragment"
    /// Lets the authorization code travel in clear.
    case redirectInClear = "redirect_in_clear"
    /// Has no path.
    case redirectWithoutPath = "redirect_without_path"
    /// Ends with a slash.
    case redirectEndsWithSlash = "redirect_ends_with_slash"
    /// Names this machine, which has several names.
    case redirectLoopback = "redirect_loopback"
    /// Is no scope of TastyTrade's.
    case scopeUnknown = "scope_unknown"
    /// Is asked for twice.
    case scopeRepeated = "scope_repeated"

    // This host (ClockSkew).

    /// This host's clock and the endpoint's differ.
    case clockSkew = "clock_skew"
}

extension FindingCode {
    /// How much a finding of this code weighs.
    ///
    /// A fault refuses a value with no appeal, so it is one only where no doubt is possible: what cannot travel as a token at
    /// all, what is byte for byte something else that is known here, what its own issuer calls something else in the header
    /// (RFC 9068) or made in the other of two worlds that share nothing, and what breaks the form that it claims to have
    /// (RFC 7515). The forms of ids, secrets and tokens are TastyTrade's to change, and its claims are read without proof:
    /// what rests on them is a warning, costs one refused call at most, and stands beside the endpoint's own words then.
    package var severity: Finding.Severity {
        switch self {
        case .tokenEmpty, .tokenTooLong, .tokenBroken, .tokenHasControl, .tokenNotASCII, .jsonUnclear, .clientIDPasted,
            .clientSecretPasted, .redirectPasted, .addressPasted, .accessTokenPasted, .tokenTruncated,
            .grantOfOtherEnvironment, .clientIDUnclean, .clientIDIsToken, .clientSecretMissing, .clientSecretUnclean,
            .clientSecretIsToken, .clientSecretIsClientID, .redirectNoAddress, .redirectHasFragment,
            .storedTokenUnclean, .refreshTokenAsAccessToken, .accessTokenOfOtherEnvironment:
            .fault
        case .identityTokenPasted, .looksLikeClientID, .looksLikeClientSecret, .notAJWT, .tokenDamaged,
            .grantOfOtherClient, .environmentInDoubt, .scopeLacksRead, .scopeLacksTrade, .scopeLacksOther,
            .tokenExpired, .issuedInFuture, .olderThanSecret, .clientIDLooksLikeSecret, .clientIDUnusual,
            .clientSecretLooksLikeID, .redirectInClear, .redirectWithoutPath, .scopeUnknown,
            .clockSkew, .accessTokenOfOtherClient, .accessTokenEndsOtherwise:
            .warning
        case .trimmedSpace, .trimmedQuotes, .trimmedBearer, .trimmedName, .takenFromJSON, .tokenEncrypted,
            .typeUnusual, .audienceUnchecked, .issuerUnknown, .scopeLacksOpenID, .clientIDMissing,
            .clientSecretUnusual, .redirectEndsWithSlash, .redirectLoopback, .scopeRepeated:
            .note
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// What is wrong with a 200 that should bring a token. The token is made all the same, and a refresh token rotates.
package enum Malformation: String, Hashable, Sendable, CaseIterable {
    /// No body.
    case empty
    /// A word that is no JSON.
    case notJSON = "not_json"
    /// A page.
    case html
    /// A list that holds the object.
    case list
    /// JSON's null.
    case null
    /// The first half of the object, as if that were all.
    case truncatedJSON = "truncated_json"
    /// Something after the object.
    case trailing
    /// A byte within the token that no UTF-8 text has.
    case invalidUTF8 = "invalid_utf8"
    /// Ten thousand lists within each other, beside the members.
    case deep
    /// The access token twice, with different values.
    case duplicateKeys = "duplicate_keys"
    /// Numbers and lists where texts should be, and the other way round.
    case wrongTypes = "wrong_types"
    /// The object within `data`, as the rest of the API has it.
    case dataWrapper = "data_wrapper"
    /// Names with dashes, as the rest of the API has them.
    case dashedKeys = "dashed_keys"
    /// No access token.
    case missingAccessToken = "missing_access_token"
    /// An access token that is null.
    case nullAccessToken = "null_access_token"
    /// An access token of no characters.
    case emptyAccessToken = "empty_access_token"
    /// An access token with a line break in it, which would make a header of its own.
    case brokenAccessToken = "broken_access_token"
    /// An access token of a mebibyte.
    case hugeAccessToken = "huge_access_token"
    /// A good access token, and no refresh token: as usual for a refresh, but not for a code.
    case missingRefreshToken = "missing_refresh_token"
    /// A good access token, and a refresh token that is null.
    case nullRefreshToken = "null_refresh_token"
    /// A good access token, and a refresh token of no characters.
    case emptyRefreshToken = "empty_refresh_token"
    /// A good access token, and a refresh token that is a number.
    case numberRefreshToken = "number_refresh_token"
    /// A new refresh token, and nothing beside it.
    case refreshTokenOnly = "refresh_token_only"
    /// A token type other than Bearer.
    case unknownTokenType = "unknown_token_type"
    /// A refusal under status 200.
    case errorIn200 = "error_in_200"
    /// The reply compressed, whether or not the client said that it could read that.
    case gzip
    /// Some 64 KiB that would be 64 MiB of spaces if they were decompressed.
    case gzipBomb = "gzip_bomb"
}

/// A form of success that differs from the usual one, and that a client must take (fact sheet section 4.2).
package enum ReplyVariant: String, Hashable, Sendable, CaseIterable {
    /// Status 201.
    case created
    /// With `scope`.
    case scope
    /// With `id_token`.
    case idToken = "id_token"
    /// Without `token_type`.
    case noTokenType = "no_token_type"
    /// `token_type` in small letters.
    case lowerCaseType = "lower_case_type"
    /// With the refresh token that was presented.
    case sameRefreshToken = "same_refresh_token"
    /// With members that nobody knows, some of them objects and lists.
    case unknownMembers = "unknown_members"
    /// With spaces and line breaks between all parts.
    case whitespace
    /// With every character of the token type escaped.
    case escapes
    /// In chunks.
    case chunked
    /// Without `Content-Type`.
    case noContentType = "no_content_type"
}

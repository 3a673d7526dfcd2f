// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// The `error` with which TastyTrade sends people back instead of a code (RFC 6749, section 4.1.2.1).
package enum AuthorizationError: String, Sendable, CaseIterable {
    /// The person said no.
    case accessDenied = "access_denied"
    /// The request lacks something, or has it twice.
    case invalidRequest = "invalid_request"
    /// A scope is unknown, or not the client's.
    case invalidScope = "invalid_scope"
    /// The client may not ask for a code.
    case unauthorizedClient = "unauthorized_client"
    /// Codes are not had this way.
    case unsupportedResponseType = "unsupported_response_type"
    /// A fault of TastyTrade's.
    case serverError = "server_error"
    /// TastyTrade is busy, or away.
    case temporarilyUnavailable = "temporarily_unavailable"
}

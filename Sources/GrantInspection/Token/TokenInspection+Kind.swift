// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

// Is it a refresh token at all?

extension TokenInspection {
    /// The finding on a value that is, or seems to be, another thing; what it says further is about that thing then.
    var otherThing: Finding? {
        let text = token.reveal()
        if text == client.clientID { return clientIDPasted }
        if token == client.clientSecret { return clientSecretPasted }
        if let finding = addressFinding(text) { return finding }
        if KnownForm.isUUID(text) { return looksLikeClientID }
        if KnownForm.isFortyDigits(text) { return looksLikeClientSecret }
        switch contents?.kind {
        case .access: return accessTokenPasted
        case .identity: return identityTokenPasted
        case .refresh, .other, nil: return nil
        }
    }

    /// The findings on the form of a value that may be a refresh token.
    var formFindings: [Finding] {
        switch reading.form {
        case .opaque: [notAJWT]
        case .encrypted: [encrypted]
        case .truncated(let loss): [truncated(loss)]
        case .damaged(let damage): [damaged(damage)]
        case .signed: contents?.kind == .refresh ? [] : [typeUnusual]
        }
    }
}

extension TokenInspection {
    private var useTheToken: String {
        "Use the refresh token, which TastyTrade shows when a grant is made. If you have none, \(client.environment.makeAGrant)"
    }

    private var clientIDPasted: Finding {
        Finding(
            .clientIDPasted,
            "This is the client id of client \(clientName), and no refresh token.",
            remedy: useTheToken
        )
    }

    private var clientSecretPasted: Finding {
        Finding(
            .clientSecretPasted,
            "This is the client secret of client \(clientName), and no refresh token.",
            remedy: useTheToken
        )
    }

    private var looksLikeClientID: Finding {
        Finding(
            .looksLikeClientID,
            "This has the form of a client id (a UUID), not of a refresh token.",
            remedy: useTheToken
        )
    }

    private var looksLikeClientSecret: Finding {
        Finding(
            .looksLikeClientSecret,
            "This has the form of a client secret (40 hexadecimal digits), not of a refresh token.",
            remedy: useTheToken
        )
    }

    private var accessTokenPasted: Finding {
        Finding(
            .accessTokenPasted,
            "This is an access token: its header gives \(quotation.word(contents?.type ?? "")) as its type. "
                + "It dies within minutes, and cannot be exchanged for another.",
            remedy: useTheToken
        )
    }

    private var identityTokenPasted: Finding {
        Finding(
            .identityTokenPasted,
            "This seems to be an identity token (id_token), which says who signed in and cannot be exchanged.",
            remedy: useTheToken
        )
    }
}

extension TokenInspection {
    /// Addresses begin in a way in which no token does, and so do the queries of those that bring a code.
    private func addressFinding(_ text: String) -> Finding? {
        if isQueryWithCode(text[...]) { return redirectPasted }
        let beginning = text.prefix(8).lowercased()
        guard beginning.hasPrefix("https://") || beginning.hasPrefix("http://") else { return nil }
        if text.contains("?code=") || text.contains("&code=") { return redirectPasted }
        return Finding(.addressPasted, "This is an address, and no refresh token.", remedy: useTheToken)
    }

    /// Whether a text is the query of a redirect, with its question mark or without (RFC 6749, section 4.1.2).
    private func isQueryWithCode(_ text: Substring) -> Bool {
        if text.hasPrefix("?") { return isQueryWithCode(text.dropFirst()) }
        return text.hasPrefix("code=") || (text.hasPrefix("state=") && text.contains("&code="))
    }

    private var redirectPasted: Finding {
        Finding(
            .redirectPasted,
            "This is the address to which TastyTrade sends people back, with an authorization code. "
                + "The code is no refresh token: it is exchanged for one, once, within minutes.",
            remedy: "Connect the account through the setup page or with tastytoken grant authorize, "
                + "which exchange the code by themselves."
        )
    }

    private var notAJWT: Finding {
        Finding(
            .notAJWT,
            "This is no JWT (\(Quotation.length(token.reveal()))), and TastyTrade's refresh tokens are JWTs: "
                + "they begin with eyJ and have three parts with dots between them. "
                + "It may be an authorization code, a password or a token of another provider.",
            remedy: "It is tried all the same; TastyTrade answers \"Invalid JWT\" to what is none. \(useTheToken)"
        )
    }

    private var encrypted: Finding {
        Finding(
            .tokenEncrypted,
            "This is an encrypted JWT, so nothing can be said of it here. TastyTrade's refresh tokens are signed ones today.",
            remedy: "Nothing: TastyTrade decides."
        )
    }

    private var typeUnusual: Finding {
        let type = contents?.type.map { "gives \(quotation.word($0)) as its type" } ?? "gives no type"
        return Finding(
            .typeUnusual,
            "The token's header \(type); TastyTrade's refresh tokens have \"rt+jwt\".",
            remedy: "Make sure that it is the refresh token. It is tried all the same."
        )
    }

    private func truncated(_ loss: TokenReading.Loss) -> Finding {
        let what =
            switch loss {
            case .parts(let count):
                count == 1 ? "one of its three parts is there" : "\(count) of its three parts are there"
            case .signature(let count, let least):
                "its signature has \(count == 1 ? "1 byte" : "\(count) bytes") and must have \(least) at least"
            }
        return Finding(
            .tokenTruncated,
            "The token's end is missing: \(what). It has \(Quotation.length(token.reveal())).",
            remedy: "Copy it again as a whole; a field, a column or a terminal may have cut it. If it is lost, "
                + client.environment.makeAGrant
        )
    }

    private func damaged(_ damage: TokenReading.Damage) -> Finding {
        let what =
            switch damage {
            case .header: "its first part cannot be read"
            case .claims: "its second part cannot be read"
            case .signature: "its third part holds characters that no signature has, such as a quote or a comma"
            case .parts(let count): "it has \(count) parts and should have three; perhaps it was pasted twice"
            }
        return Finding(
            .tokenDamaged,
            "The value begins as a JWT and is none: \(what).",
            remedy: "Copy it again, alone and as a whole. It is tried all the same, and TastyTrade will hardly take it."
        )
    }
}

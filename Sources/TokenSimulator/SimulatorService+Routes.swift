// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import NIOHTTP1

extension SimulatorService {
    /// Finds the route of a request that came through the gateway.
    func route(_ request: SimulatedRequest, at now: SimulatorInstant) -> Delivery {
        switch (request.path, request.method) {
        case (TokenRoute.path, "POST"):
            return answerToken(request, at: now)
        case (AccountsRoute.path, "GET"):
            return answerAccounts(request, at: now)
        case (AuthorizeRoute.path, "GET"), (AuthorizeRoute.path, "POST"):
            return answerAuthorize(request, at: now)
        case (AuthorizeRoute.path, _):
            return methodNotAllowed("GET, POST", request, at: now)
        case (TokenRoute.path, _):
            return methodNotAllowed("POST", request, at: now)
        case (AccountsRoute.path, _):
            return methodNotAllowed("GET", request, at: now)
        default:
            let reply = SimulatedReply.envelope(404, "not_found", "There is no such route")
            return deliver(.reply(reply), .notFound, request, at: now)
        }
    }

    private func answerToken(_ request: SimulatedRequest, at now: SimulatorInstant) -> Delivery {
        let form = TokenRoute.form(of: request)
        let route = TokenRoute(clients: update { $0.clients })
        let checked = check(route.screen(request, form))
        let decision = update { state in
            let decision = state.decide(checked, form.grantType, lifetime: lifetime, at: now)
            var record = RequestRecord(
                request,
                account: decision.account,
                outcome: decision.outcome,
                fields: form.fields.keys.sorted(),
                at: now
            )
            record.note(decision)
            state.journal.begin(
                record,
                isTokenRequest: true,
                grantID: decision.grantID,
                standing: decision.standing
            )
            return decision
        }
        return Delivery(
            action: action(decision.action, presented: form.fields["refresh_token"], at: now),
            manner: decision.manner,
            delay: decision.delay,
            heldAfter: decision.heldAfter,
            ticket: Delivery.Ticket(account: decision.account, grantID: decision.grantID)
        )
    }

    private func check(_ screening: TokenRoute.Screening) -> SimulatorState.Checked {
        switch screening {
        case .refused(let reply, let outcome): .refused(reply, outcome)
        case .presents(let token, let clientIDs):
            grant(of: token).flatMap { clientIDs.contains($0.aud) ? .grant($0) : nil }
                ?? .refused(TokenRoute.invalidJWT, .invalidGrant)
        case .presentsCode(let presented): .code(presented, issuer: mint.issuer)
        }
    }

    /// What a refresh token of one of the clients says, its signature checked once.
    func grant(of token: String) -> TokenMint.GrantClaims? {
        let fingerprint = GrantLedger.fingerprint(of: token)
        let (isVerified, clients) = update { ($0.ledger.isVerified(fingerprint), $0.clients) }
        guard let grant = mint.grantClaims(of: token, isVerified: isVerified), clients[grant.aud] != nil else {
            return nil
        }
        if !isVerified { update { $0.ledger.markVerified(fingerprint) } }
        return grant
    }

    private func action(
        _ action: TokenDecision.Action,
        presented: String?,
        at now: SimulatorInstant
    ) -> Delivery.Action {
        switch action {
        case .reply(let reply): return .reply(reply)
        case .reset: return .reset
        case .silence: return .silence
        case .raw(let bytes, let closes): return .raw(bytes, closes: closes)
        case .issue(let issue):
            guard let reply = try? reply(to: issue, presented: presented, at: now) else {
                return .reply(.errorPage(ErrorPage(500)))
            }
            return .reply(reply.reply)
        }
    }

    private func reply(
        to issue: TokenDecision.Issue,
        presented: String?,
        at now: SimulatorInstant
    ) throws -> TokenReply {
        let token = try issue.repeated ?? newToken(issue, at: now)
        let left =
            issue.repetition == .cached ? token.lifetime : .nanoseconds(token.expiresAt.nanoseconds - now.nanoseconds)
        return TokenReply(
            accessToken: token.token,
            lifetime: left,
            newRefreshToken: try issue.newGrant.map { try mint.refreshToken(saying: $0) },
            presentedRefreshToken: presented,
            scope: issue.isFirst ? issue.grant.scope : nil,
            identityToken: try issue.isFirst ? identityToken(of: issue.grant, at: now) : nil,
            oddLifetime: issue.oddLifetime,
            form: issue.form
        )
    }

    /// Who signed in; nil unless that was asked for.
    private func identityToken(of grant: TokenMint.GrantClaims, at now: SimulatorInstant) throws -> String? {
        guard ScopeText.words(grant.scope).contains("openid") else { return nil }
        return try mint.identityToken(of: grant, issuedAt: now, expiresAt: now + lifetime)
    }

    private func newToken(_ issue: TokenDecision.Issue, at now: SimulatorInstant) throws -> RepeatedToken {
        let end = now + issue.lifetime
        let text = try mint.accessToken(of: issue.grant, id: issue.id, issuedAt: now, expiresAt: end)
        let token = RepeatedToken(token: text, lifetime: issue.lifetime, expiresAt: end)
        if issue.repetition != nil { update { $0.repeated[issue.grant.sub] = token } }
        return token
    }

    private func methodNotAllowed(_ allowed: String, _ request: SimulatedRequest, at now: SimulatorInstant) -> Delivery
    {
        let allow = SimulatedReply.Field(name: "Allow", value: allowed)
        let reply = SimulatedReply.envelope(405, "method_not_allowed", "Only \(allowed) is allowed", fields: [allow])
        return deliver(.reply(reply), .methodNotAllowed, request, at: now)
    }

    /// Counts a request, and answers it at once.
    func deliver(
        _ action: Delivery.Action,
        _ outcome: RequestOutcome,
        _ request: SimulatedRequest,
        account: String? = nil,
        fields: [String] = [],
        at now: SimulatorInstant
    ) -> Delivery {
        let record = RequestRecord(request, account: account, outcome: outcome, fields: fields, at: now)
        let isTokenRequest = request.path == TokenRoute.path
        update { $0.journal.begin(record, isTokenRequest: isTokenRequest) }
        return Delivery(action: action, ticket: Delivery.Ticket(account: nil))
    }
}

extension RequestRecord {
    /// Takes in what was decided about a token request.
    fileprivate mutating func note(_ decision: TokenDecision) {
        if case .issue(let issue) = decision.action, issue.repeated == nil { tokenID = issue.id }
        isReuse = decision.standing?.isReuse == true
        killsGrant = decision.standing == .killed
    }

    /// What may be shown of a request.
    fileprivate init(
        _ request: SimulatedRequest,
        account: String?,
        outcome: RequestOutcome,
        fields: [String] = [],
        at now: SimulatorInstant
    ) {
        let secret: Set = ["authorization", "proxy-authorization", "cookie"]
        let headers = request.headers.map { name, value in
            Header(name: name, value: secret.contains(name.lowercased()) ? "<redacted>" : value)
        }
        self.init(
            receivedAt: now,
            method: request.method,
            path: request.path,
            account: account,
            outcome: outcome,
            headers: headers,
            fields: fields
        )
    }
}

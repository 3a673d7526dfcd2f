// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Testing
import TokenCore

@testable import GrantInspection

@Suite struct ExplanationTests {
    private func title(
        _ kind: RefreshFailure.Kind,
        _ text: String = "words",
        code: String? = nil,
        status: Int? = nil,
        in environment: TradeEnvironment = .production
    ) -> String {
        let failure = RefreshFailure(kind, httpStatus: status, code: code, text: text, retryAfter: .seconds(60))
        return Explanation(of: failure, in: environment).title
    }

    @Test(
        "Fact sheet section 4.3, row by row",
        arguments: [
            (.grantRefused, "invalid_grant", "Invalid JWT", 400, "Not a refresh token"),
            (.grantRefused, "invalid_grant", "Grant revoked", 400, "The grant was revoked"),
            (.grantRefused, "invalid_grant", "Token expired", 400, "A token has expired"),
            (.grantRefused, "invalid_grant", "the grant was refused", 400, "TastyTrade refused the grant"),
            (
                .grantRefused, "invalid_grant", "the authorization code was not accepted: Authorization code expired",
                400,
                "The sign-in could not be finished"
            ),
            (
                .grantRefused, "invalid_grant", "the authorization code was not accepted: Grant revoked", 400,
                "The sign-in could not be finished"
            ),
            (
                .grantRefused, "invalid_grant", "the authorization code was not accepted: Invalid redirect_uri", 400,
                "The redirect URI is not registered"
            ),
            (
                .requestRejected, "invalid_request", "User is not a TastyTrade customer", 400,
                "The user is no customer of TastyTrade"
            ),
            (.clientRefused, "invalid_client", "Client secret mismatch", 401, "The client secret is wrong"),
            (.clientRefused, "invalid_client", "the OAuth client was refused", 400, "TastyTrade refused the client"),
            (.clientRefused, "unauthorized_client", "x", 400, "The client may not do this"),
            (.gateway, nil, "no code in JSON", 401, "Refused before anybody looked at the grant"),
            (.gateway, nil, "no code in JSON", 403, "Something before TastyTrade refused the request"),
            (.throttled, nil, "slow down", 429, "Too many requests"),
            (.serverFault, nil, "gateway", 502, "TastyTrade is out of order"),
            (.serverFault, nil, "Invalid JWT", 503, "TastyTrade is out of order"),
            (.redirected, nil, "redirects", 302, "The address answers with a redirect"),
            (.requestRejected, "406", "unsupported", 406, "The API's version is not supported"),
            (.requestRejected, "brand_new", "x", 400, "TastyTrade rejected the request"),
        ] as [(RefreshFailure.Kind, String?, String, Int, String)]
    )
    func everyRowIsExplained(kind: RefreshFailure.Kind, code: String?, text: String, status: Int, title: String) {
        #expect(self.title(kind, text, code: code, status: status) == title)
    }

    @Test(
        "The guide's common issues",
        arguments: [
            (nil, "404 Client not found", 404, "TastyTrade does not know the client"),
            ("client_not_found", nil, 404, "TastyTrade does not know the client"),
            (nil, "Invalid redirect_uri", 400, "The redirect URI is not registered"),
            ("invalid_request", "redirect_uri mismatch", 400, "The redirect URI is not registered"),
            (nil, "Invalid scope", 400, "A scope is not allowed"),
            ("INVALID_SCOPE", nil, nil, "A scope is not allowed"),
            ("token_expired", nil, 401, "A token has expired"),
            (nil, "The token has expired.", 401, "A token has expired"),
            ("unsupported_grant_type", nil, 400, "The request was not understood"),
            ("invalid_grant", nil, 400, nil), (nil, nil, nil, nil), ("expired", "", 400, "A token has expired"),
        ] as [(String?, String?, Int?, String?)]
    )
    func everyIssueIsExplained(code: String?, words: String?, status: Int?, title: String?) {
        let refusal = Refusal(code: code, words: words ?? "", status: status)
        #expect(refusal?.explanation(in: .production).title == title)
    }

    @Test func aSandboxUserMayBeACustomerAgainLater() {
        let text = "User is not a TastyTrade customer"
        #expect(title(.requestRejected, text, in: .sandbox) == "The sandbox does not know the user as a customer")
    }

    @Test(arguments: RefreshFailure.Kind.allCases, TradeEnvironment.allCases)
    func everyKindIsExplained(kind: RefreshFailure.Kind, environment: TradeEnvironment) {
        for status in [nil, 400, 401, 503] {
            let failure = RefreshFailure(kind, httpStatus: status, code: "brand_new", text: "words")
            expectSentences(Explanation(of: failure, in: environment))
        }
    }

    @Test(arguments: Refusal.allCases, TradeEnvironment.allCases)
    func everyRefusalIsExplained(refusal: Refusal, environment: TradeEnvironment) {
        expectSentences(refusal.explanation(in: environment))
    }

    @Test(arguments: AuthorizationError.allCases, TradeEnvironment.allCases)
    func everyAuthorizationErrorIsExplained(error: AuthorizationError, environment: TradeEnvironment) {
        let explanation = Explanation(ofAuthorizationError: error.rawValue, in: environment)
        expectSentences(explanation)
        #expect(explanation.title != "Not connected")
    }

    @Test func theErrorsAreThoseOfTheStandard() {
        #expect(
            Set(AuthorizationError.allCases.map(\.rawValue)) == [
                "invalid_request", "unauthorized_client", "access_denied", "unsupported_response_type", "invalid_scope",
                "server_error", "temporarily_unavailable",
            ]
        )
    }

    @Test(arguments: [
        (nil, "(tastytrade.redirectUri for the client default, tastytoken client set for another)"),
        ("default", "Make tastytrade.redirectUri and"),
        ("second", "Make the redirect URI of the OAuth client second (tastytoken client set second) and"),
    ])
    func settingsAreCalledWhatTheyAreForTheirClient(client: String?, words: String) {
        let failure = RefreshFailure(.requestRejected, httpStatus: 400, text: "Invalid redirect_uri")
        #expect(Explanation(of: failure, in: .production, for: client).whatToDo.contains(words))
        #expect(Explanation(ofExchange: failure, in: .production, for: client).whatHappened.contains("to the letter"))
        let refused = Explanation(of: RefreshFailure(.clientRefused, text: "words"), in: .sandbox, for: client)
        let asked = ["invalid_request", "invalid_scope"].map {
            Explanation(ofAuthorizationError: $0, in: .sandbox, for: client)
        }
        for explanation in [refused] + asked {
            expectSentences(explanation)
            #expect(explanation.whatToDo.contains(/tastytrade\.(clientId|scopes)/) == (client != "second"))
            #expect(explanation.whatToDo.contains("tastytoken client set second") == (client == "second"))
        }
    }

    @Test func anUnknownErrorIsQuotedBoundedAndEscaped() {
        let error = "new\u{1B}[31m" + String(repeating: "error ", count: 100)
        let explanation = Explanation(ofAuthorizationError: error, in: .production)
        #expect(explanation.title == "Not connected")
        #expect(explanation.whatHappened.contains(#""new\u{1b}[31merror error"#))
        #expect(explanation.whatHappened.utf8.count < 200)
    }

    @Test(arguments: RefreshFailure.Kind.allCases, TradeEnvironment.allCases)
    func anExchangeIsNeverSaidToBeTriedAgain(kind: RefreshFailure.Kind, environment: TradeEnvironment) {
        // What is done before a request is sent has its own words, of which an exchange meets none.
        let ofTheStore: [RefreshFailure.Kind] = [.storeUnavailable, .storeRejected, .journalUnavailable, .callUnderWay]
        for code in [nil, "invalid_grant", "brand_new"] where !ofTheStore.contains(kind) {
            let failure = RefreshFailure(kind, httpStatus: 400, code: code, text: "words")
            let explanation = Explanation(ofExchange: failure, in: environment)
            expectSentences(explanation)
            #expect(!explanation.whatToDo.contains("It is tried again") && !explanation.whatToDo.contains("by itself"))
            #expect(!explanation.whatHappened.contains("grant was deleted"), "\(kind) speaks of a dead grant")
        }
    }

    @Test func aCodeThatIsRefusedWithoutWordsIsNoDeadGrant() {
        let failure = RefreshFailure(.grantRefused, httpStatus: 400, code: "invalid_grant", text: "refused")
        #expect(Explanation(ofExchange: failure, in: .production).title == "The sign-in could not be finished")
    }

    @Test func howLongTheEndpointAskedForIsSaid() {
        let failure = RefreshFailure(.throttled, httpStatus: 429, text: "x", retryAfter: .seconds(120))
        #expect(Explanation(of: failure, in: .production).whatHappened.contains("2 minutes"))
    }

    private func expectSentences(_ explanation: Explanation) {
        #expect(!explanation.title.isEmpty && explanation.title.last != ".")
        for text in [explanation.whatHappened, explanation.whatToDo] {
            #expect(text.count > 20 && text.last == "." && !text.contains("  ") && !text.contains("nil"), "\(text)")
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Testing

@testable import TokenSimulator

/// `GET` and `POST /auth.html` over HTTP.
@Suite(.timeLimit(.minutes(2))) struct AuthorizeRouteTests {
    @Test func thePageSaysWhoAsksForWhatAndHasAFormForKeyboardAndScreenReader() async throws {
        try await Caller.with({ $0.environment = .sandbox }) { caller in
            let page = try await caller.call("GET", SignIn(scope: "read trade").path())
            #expect(page.status == 200)
            #expect(page.headers["content-type"] == "text/html; charset=utf-8")
            #expect(page.headers["cache-control"] == "no-store")
            #expect(page.headers["content-security-policy"]?.contains("default-src 'none'") == true)
            #expect(page.headers["content-security-policy"]?.contains("form-action") == false)
            for piece in [
                #"<html lang="en">"#, "a simulator", "(sandbox)", "OptionBotPro", SimulatedClient().id,
                "<code>read</code>", "<code>trade</code>", "http://localhost:8000", #"<form method="post">"#,
                #"<label for="customer">"#, #"<input id="customer" name="customer" type="text" required"#,
                #"<button type="submit" name="decision" value="authorize">Authorize</button>"#,
                #"<button type="submit" name="decision" value="deny" formnovalidate>Deny</button>"#,
            ] {
                #expect(page.text.contains(piece), "\(piece)")
            }
            #expect(!page.text.contains("<code>openid</code>"))
            for piece in ["<script", "src=", "href=", "url(", "@import", "onload", "onclick"] {
                #expect(!page.text.contains(piece), "\(piece)")
            }
            #expect(caller.simulator.counts.outcomes == ["authorize_page": 1])
        }
    }

    @Test func withoutAScopeAllIsAskedForThatTheClientMay() async throws {
        try await Caller.with { caller in
            let page = try await caller.call("GET", SignIn(scope: nil).path())
            for scope in ["read", "trade", "openid"] { #expect(page.text.contains("<code>\(scope)</code>")) }
        }
    }

    /// Line ends, a plus, markup, what is no ASCII, and what a form field would not bring back as it was.
    @Test(arguments: [
        nil, "", "abc", "a b+c&d=e%20#f?", "\r\n\n\0\u{1}", "\"><script>'", "é\u{301}🙂", "a%2Bb",
        String(repeating: "x", count: 4000),
    ])
    func theStateComesBackExactlyAsItWasSent(state: String?) async throws {
        try await Caller.with { caller in
            let signIn = SignIn(state: state)
            let granted = try await caller.submit(["customer": "42", "decision": "authorize"], to: signIn.path())
            #expect(granted.status == 303)
            #expect(granted.headers["cache-control"] == "no-store")
            let back = try SentBack(granted)
            #expect(back.address == "http://localhost:8000")
            #expect(back.parameters["state"].map { Array($0.utf8) } == state.map { Array($0.utf8) })
            #expect(Set(back.parameters.keys) == (state == nil ? ["code"] : ["code", "state"]))
            let denied = try SentBack(try await caller.submit(["decision": "deny"], to: signIn.path()))
            #expect(denied.parameters["error"] == "access_denied")
            #expect(denied.parameters["error_description"] == "The customer denied the request")
            #expect(denied.parameters["state"].map { Array($0.utf8) } == state.map { Array($0.utf8) })
            #expect(denied.parameters["code"] == nil)
            #expect(caller.simulator.counts.outcomes == ["code_issued": 1, "authorize_denied": 1])
        }
    }

    @Test func aQueryOfTheRedirectURIStaysAsItIs() async throws {
        let address = "https://app.example/cb?a=1&b=%2F"
        try await Caller.with({ $0.client.redirectURIs = [address] }) { caller in
            let signIn = SignIn(redirectURI: address, state: nil)
            let reply = try await caller.submit(["customer": "42", "decision": "authorize"], to: signIn.path())
            #expect(reply.headers["location"]?.hasPrefix(address + "&code=") == true)
        }
    }

    struct Bad: Sendable {
        let changes: [String: String?]
        let status: Int
        let words: String

        init(_ changes: [String: String?], _ status: Int, _ words: String) {
            (self.changes, self.status, self.words) = (changes, status, words)
        }
    }

    static let planted = "\"><script>alert('1')</script>&"

    static let refusals: [Bad] = [
        Bad(["client_id": "another"], 404, "404 Client not found"),
        Bad(["client_id": nil], 404, "404 Client not found"),
        Bad(["client_id": planted], 404, "404 Client not found"),
        Bad(["redirect_uri": nil], 400, "Invalid redirect_uri"),
        Bad(["redirect_uri": ""], 400, "Invalid redirect_uri"),
        Bad(["redirect_uri": "http://localhost:8000/"], 400, "Invalid redirect_uri"),
        Bad(["redirect_uri": "http://localhost:8000?x=1"], 400, "Invalid redirect_uri"),
        Bad(["redirect_uri": "HTTP://localhost:8000"], 400, "Invalid redirect_uri"),
        Bad(["redirect_uri": "https://elsewhere.example/"], 400, "Invalid redirect_uri"),
        Bad(["redirect_uri": planted], 400, "Invalid redirect_uri"),
        Bad(["response_type": nil], 400, "Invalid response_type"),
        Bad(["response_type": "token"], 400, "Invalid response_type"),
        Bad(["response_type": planted], 400, "Invalid response_type"),
        Bad(["scope": "read admin"], 400, "Invalid scope"), Bad(["scope": ""], 400, "Invalid scope"),
        Bad(["scope": "READ"], 400, "Invalid scope"), Bad(["scope": "read,trade"], 400, "Invalid scope"),
        Bad(["scope": planted], 400, "Invalid scope"),
    ]

    @Test(arguments: refusals)
    func whatCannotBeAskedGetsAPageAndNobodyIsSentAnywhere(bad: Bad) async throws {
        try await Caller.with { caller in
            let path = SignIn(state: Self.planted).path(bad.changes)
            let yes = ["customer": "42", "decision": "authorize"]
            for reply in [try await caller.call("GET", path), try await caller.submit(yes, to: path)] {
                #expect(reply.status == bad.status)
                #expect(reply.text.contains("<h1>\(bad.words)</h1>"))
                #expect(reply.headers["location"] == nil)
                #expect(!reply.text.contains("<form"))
                #expect(!reply.text.contains("<script"))
                #expect(reply.headers["content-security-policy"]?.hasPrefix("default-src 'none'") == true)
            }
            #expect(caller.simulator.counts.outcomes == ["authorize_refused": 2])
        }
    }

    @Test(arguments: ["client_id", "redirect_uri", "scope"])
    func whatIsRepeatedInAPageIsNoMarkup(name: String) async throws {
        try await Caller.with { caller in
            let page = try await caller.call("GET", SignIn().path([name: Self.planted]))
            #expect(page.text.contains("&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;"))
        }
    }

    @Test func theStateIsNotInThePageAndAClientsNameIsNoMarkup() async throws {
        try await Caller.with({ $0.client.name = Self.planted }) { caller in
            let signIn = SignIn(state: "the-state-\(Self.planted)")
            let page = try await caller.call("GET", signIn.path())
            #expect(page.status == 200)
            #expect(!page.text.contains("<script"))
            #expect(!page.text.contains("the-state"))
            #expect(page.text.contains("&lt;script&gt;"))
        }
    }

    @Test func aParameterThatComesTwiceOrCannotBeReadIsRefused() async throws {
        try await Caller.with { caller in
            for more in ["&redirect_uri=http%3A%2F%2Flocalhost%3A8000", "&state=%", "&state=%ff"] {
                // Byte for byte: a client library would mend the address.
                let connection = try RawConnection(port: caller.simulator.port)
                let lines = [
                    "GET \(SignIn(state: nil).path() + more) HTTP/1.1", "Host: a", "User-Agent: a/1",
                    "Connection: close",
                ]
                connection.send(lines.joined(separator: "\r\n") + "\r\n\r\n")
                let page = await connection.receive()
                #expect(page.head.hasPrefix("HTTP/1.1 400 Bad Request\r\n"))
                #expect(page.text.contains("<h1>Invalid request</h1>"))
            }
        }
    }

    @Test(arguments: [
        [:], ["customer": "42"], ["decision": "authorize"], ["decision": "authorize", "customer": " \t"],
        ["decision": "perhaps", "customer": "42"], ["decision": ""],
    ])
    func aFormThatIsNotFilledInComesBackWithWhatIsMissing(fields: [String: String]) async throws {
        try await Caller.with { caller in
            let page = try await caller.submit(fields, to: SignIn().path())
            #expect(page.status == 400)
            #expect(page.text.contains(#"role="alert""#))
            #expect(page.text.contains(#"aria-describedby="mistake hint""#))
            #expect(page.headers["location"] == nil)
        }
    }

    @Test func theRecordHasNeitherCodeNorState() async throws {
        try await Caller.with { caller in
            let code = try await caller.code(SignIn(state: "planted-state"))
            _ = try await caller.exchange(code)
            var shown = ""
            dump(caller.simulator.requests, to: &shown)
            shown += try await caller.control("GET", "requests").text
            for secret in [code, "planted-state", Caller.secret] { #expect(!shown.contains(secret)) }
            #expect(caller.simulator.requests.first?.account == "42")
        }
    }

    @Test func itNeedsAUserAgentAndKnowsTwoMethods() async throws {
        try await Caller.with { caller in
            let blocked = try await caller.call("GET", SignIn().path(), headers: [:])
            #expect(blocked.status == 401)
            let browser = ["User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"]
            let page = try await caller.call("GET", SignIn().path(), headers: browser)
            #expect(page.status == 200)
            let put = try await caller.call("PUT", SignIn().path())
            #expect(put.status == 405)
            #expect(put.headers["allow"] == "GET, POST")
        }
    }
}

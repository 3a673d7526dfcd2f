// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Hummingbird
import HummingbirdTesting
import InMemoryLogging
import Logging
import SocketAPI
import TestSupport
import Testing
import TokenCore

@testable import WebPages

/// The pages over doubles, at `http://localhost`, which is where the test's client says it goes.
struct PagesFixture {
    /// What is entered as a secret, and is to be found in no reply and no log record.
    static let secret = "5ec2e75ec2e75ec2e75ec2e75ec2e75ec2e75ec2"

    let board = BoardDouble()
    let enrolling = EnrollingDouble()
    let authorizing = AuthorizingDouble()
    let clock = ManualClock()
    let log = InMemoryLogHandler()
    let pages: WebPages

    init(at publicURL: String = "http://localhost", port: Int = 0) throws {
        var logger = Logger(label: "test") { [log] _ in log }
        logger.logLevel = .trace
        pages = try WebPages(
            WebConfiguration(publicURL: try WebOrigin(publicURL), host: "127.0.0.1", port: port),
            serving: board,
            enrolling: enrolling,
            authorizing: authorizing,
            secrets: CountingSecrets.source(),
            clock: clock.reading,
            logger: logger
        )
    }

    /// All that was logged.
    var records: String { log.entries.map { "\($0.message) \($0.metadata)" }.joined(separator: "\n") }

    /// The token of a new link.
    func link() throws -> String {
        let url = pages.makeConsoleLink().url.reveal()
        return String(url[try #require(url.firstRange(of: "?t=")).upperBound...])
    }

    /// Does something with a browser, without a network.
    func browse(_ body: @Sendable (inout Browser) async throws -> Void) async throws {
        try await pages.application().test(.router) { client async throws in
            var browser = Browser(client: client, origin: pages.configuration.publicURL.description)
            try await body(&browser)
        }
        #expect(!records.contains(Self.secret))
    }

    /// The same, signed in.
    func browseSignedIn(_ body: @Sendable (inout Browser) async throws -> Void) async throws {
        let token = try link()
        try await browse { browser async throws in
            try await browser.signIn(token)
            try await body(&browser)
        }
    }
}

/// Somebody who looks at the pages: keeps cookies, and fills in forms.
struct Browser {
    let client: any TestClientProtocol
    /// What it says that forms come from; nil leaves it out.
    var origin: String?
    /// What it sends back.
    var cookie: String?
    /// The token in the last form that it saw.
    var formToken = ""

    /// A reply, with its text.
    struct Page {
        let status: Int
        let fields: HTTPFields
        let text: String
    }

    mutating func get(_ path: String) async throws -> Page {
        try await send(path, "GET", fields: [:], nil)
    }

    /// Sends a form, with the token of the last page unless the test says otherwise.
    mutating func post(_ path: String, _ values: [(String, String)] = [], token: String? = nil) async throws -> Page {
        let all = values + [("form_token", token ?? formToken)]
        let body = all.map { "\(PercentCoding.encode($0.0))=\(PercentCoding.encode($0.1))" }.joined(separator: "&")
        var fields: HTTPFields = [.contentType: "application/x-www-form-urlencoded"]
        if let origin { fields[.origin] = origin }
        return try await send(path, "POST", fields: fields, body)
    }

    mutating func signIn(_ token: String) async throws {
        let reply = try await post("/console", [("t", token)])
        try #require(reply.status == 303)
        cookie = try #require(reply.fields[.setCookie]).split(separator: ";").first.map(String.init)
    }

    /// Keeps the cookie that came with a page beside those that it has.
    mutating func keep(_ page: Page) {
        guard let new = page.fields[.setCookie]?.split(separator: ";").first.map(String.init) else { return }
        let name = new.prefix { $0 != "=" }
        let others = (cookie ?? "").split(separator: "; ").filter { !$0.hasPrefix("\(name)=") }.map(String.init)
        cookie = (others + [new]).joined(separator: "; ")
    }

    /// What it is known by on the way back from TastyTrade.
    var browserSecret: String? {
        let name = BrowserCookie(isSecure: origin?.hasPrefix("https:") == true).name
        return cookie?.split(separator: "; ").first { $0.hasPrefix("\(name)=") }
            .map { String($0.dropFirst(name.count + 1)) }
    }

    mutating func send(_ path: String, _ method: String, fields: HTTPFields, _ body: String?) async throws -> Page {
        var fields = fields
        if let cookie { fields[.cookie] = cookie }
        let reply = try await client.execute(
            uri: path,
            method: try #require(HTTPRequest.Method(method)),
            headers: fields,
            body: body.map { ByteBuffer(string: $0) }
        )
        let text = String(buffer: reply.body)
        #expect(!text.contains(PagesFixture.secret), "\(method) \(path)")
        if let found = text.firstMatch(of: /name="form_token" value="([^"]*)"/) { formToken = String(found.1) }
        return Page(status: reply.status.code, fields: reply.headers, text: text)
    }
}

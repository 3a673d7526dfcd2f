// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Hummingbird
package import Logging
package import TokenCore

/// The pages for people: who is connected, OAuth clients, and accounts to be connected.
///
/// They hold no rules of their own. What they show is the engine's (``TokenServing``), what is entered goes to ``Enrolling``, and who
/// goes to TastyTrade and comes back is ``Authorizing``'s.
package struct WebPages: Sendable {
    let configuration: WebConfiguration
    let serving: any TokenServing
    let enrolling: any Enrolling
    let authorizing: any Authorizing
    let secrets: SecretSource
    let door: ConsoleDoor
    let clock: ClockReading
    let logger: Logger
    let renderer: PageRenderer
    let cookie: SessionCookie
    let browserCookie: BrowserCookie
    let listening = ListeningMark()

    /// Puts the pages together; nothing listens yet.
    ///
    /// - Parameters:
    ///   - configuration: where they are.
    ///   - serving: who knows how accounts stand.
    ///   - enrolling: who connects accounts and keeps clients.
    ///   - authorizing: who sends people to TastyTrade and takes them back.
    ///   - secrets: chance and digests.
    ///   - clock: both clocks.
    ///   - logger: told when somebody signs in or connects an account, and why the pages are off.
    /// - Throws: what is wrong in a template; they are part of the program.
    package init(
        _ configuration: WebConfiguration,
        serving: any TokenServing,
        enrolling: any Enrolling,
        authorizing: any Authorizing,
        secrets: SecretSource,
        clock: @escaping ClockReading,
        logger: Logger
    ) throws {
        self.configuration = configuration
        self.serving = serving
        self.enrolling = enrolling
        self.authorizing = authorizing
        self.secrets = secrets
        self.clock = clock
        self.logger = logger
        door = ConsoleDoor(secrets, clock: clock)
        renderer = try PageRenderer()
        cookie = SessionCookie(isSecure: configuration.publicURL.isSecure)
        browserCookie = BrowserCookie(isSecure: configuration.publicURL.isSecure)
    }

    /// All pages, behind the checks.
    func router() -> Router<WebContext> {
        let router = Router(context: WebContext.self, options: .autoGenerateHeadEndpoints)
        router.add(middleware: ReplyFields(isSecure: configuration.publicURL.isSecure, pages: renderer))
        // Under any name: so looks the page that says where the others are.
        router.get("/assets/pages.css") { _, _ in Self.style }
        router.add(middleware: HostCheck(origin: configuration.publicURL))
        router.add(middleware: OriginCheck(origin: configuration.publicURL))
        router.get("/") { request, _ in try await overview(request) }
        router.get("/console") { request, _ in try console(request) }
        router.post("/console") { request, _ in try await signIn(request) }
        router.post("/console/end") { request, _ in try await signOut(request) }
        router.get("/tastytrade/oauth/setup") { request, _ in try await setup(request) }
        router.post("/tastytrade/oauth/setup") { request, _ in try await saveClient(request) }
        router.get("/tastytrade/oauth/grant") { request, _ in try await grant(request) }
        router.post("/tastytrade/oauth/grant") { request, _ in try await connect(request) }
        router.get("/tastytrade/oauth/authorize") { request, _ in try await authorize(request) }
        router.post("/tastytrade/oauth/authorize") { request, _ in try await beginAuthorization(request) }
        router.get("/tastytrade/oauth/callback") { request, _ in try await callback(request) }
        router.post("/tastytrade/oauth/callback") { request, _ in try await finishAuthorization(request) }
        return router
    }

    private static let style = Response(
        status: .ok,
        headers: [.contentType: "text/css; charset=utf-8"],
        body: ResponseBody(byteBuffer: ByteBuffer(bytes: PackageResources.pages_css))
    )
}

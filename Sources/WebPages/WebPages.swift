// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Hummingbird
package import Logging
package import TokenCore

/// The pages for people: who is connected, OAuth clients, and accounts to be connected.
///
/// They hold no rules of their own. What they show is the engine's (``TokenServing``), and what is entered goes to ``Enrolling``.
package struct WebPages: Sendable {
    let configuration: WebConfiguration
    let serving: any TokenServing
    let enrolling: any Enrolling
    let door: ConsoleDoor
    let clock: ClockReading
    let logger: Logger
    let renderer: PageRenderer
    let cookie: SessionCookie
    let listening = ListeningMark()

    /// Puts the pages together; nothing listens yet.
    ///
    /// - Parameters:
    ///   - configuration: where they are.
    ///   - serving: who knows how accounts stand.
    ///   - enrolling: who connects accounts and keeps clients.
    ///   - secrets: chance and digests.
    ///   - clock: both clocks.
    ///   - logger: told when somebody signs in or connects an account, and why the pages are off.
    /// - Throws: what is wrong in a template; they are part of the program.
    package init(
        _ configuration: WebConfiguration,
        serving: any TokenServing,
        enrolling: any Enrolling,
        secrets: SecretSource,
        clock: @escaping ClockReading,
        logger: Logger
    ) throws {
        self.configuration = configuration
        self.serving = serving
        self.enrolling = enrolling
        self.clock = clock
        self.logger = logger
        door = ConsoleDoor(secrets, clock: clock)
        renderer = try PageRenderer()
        cookie = SessionCookie(isSecure: configuration.publicURL.isSecure)
    }

    /// Makes a link that signs somebody in, once, within a minute (`POST /v1/console-links`).
    ///
    /// - Returns: the link. It is for the one who asked, and for no log.
    package func makeConsoleLink() -> PageLink {
        let (token, end) = door.makeLink()
        return PageLink(url: Secret("\(configuration.publicURL)/console?t=\(token)"), expiresAt: end.wall)
    }

    /// All pages, behind the checks.
    func router() -> Router<WebContext> {
        let router = Router(context: WebContext.self, options: .autoGenerateHeadEndpoints)
        router.add(middleware: ReplyFields(isSecure: configuration.publicURL.isSecure, pages: renderer))
        router.add(middleware: HostCheck(origin: configuration.publicURL))
        router.add(middleware: OriginCheck(origin: configuration.publicURL))
        router.get("/") { request, _ in try await overview(request) }
        router.get("/assets/pages.css") { _, _ in Self.style }
        router.get("/console") { request, _ in try console(request) }
        router.post("/console") { request, _ in try await signIn(request) }
        router.post("/console/end") { request, _ in try await signOut(request) }
        router.get("/tastytrade/oauth/setup") { request, _ in try await setup(request) }
        router.post("/tastytrade/oauth/setup") { request, _ in try await saveClient(request) }
        router.get("/tastytrade/oauth/grant") { request, _ in try await grant(request) }
        router.post("/tastytrade/oauth/grant") { request, _ in try await connect(request) }
        return router
    }

    private static let style = Response(
        status: .ok,
        headers: [.contentType: "text/css; charset=utf-8"],
        body: ResponseBody(byteBuffer: ByteBuffer(bytes: PackageResources.pages_css))
    )
}

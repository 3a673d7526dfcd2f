// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Hummingbird
import Mustache

/// The templates, read once.
struct PageRenderer: Sendable {
    /// Each page's template.
    enum Name: String, CaseIterable {
        case authorize
        case begin
        case connected
        case console
        case explanation
        case finish
        case grant
        case overview
        case setup
    }

    /// What templates have in common.
    private static let parts: [(name: String, bytes: [UInt8])] = [
        ("frame", PackageResources.frame_mustache), ("field", PackageResources.field_mustache),
        ("problems", PackageResources.problems_mustache), ("done", PackageResources.done_mustache),
        ("subject", PackageResources.subject_mustache), ("tabs", PackageResources.tabs_mustache),
        ("ways", PackageResources.ways_mustache),
    ]

    private static let pages: [(name: String, bytes: [UInt8])] = [
        (Name.authorize.rawValue, PackageResources.authorize_mustache),
        (Name.begin.rawValue, PackageResources.begin_mustache),
        (Name.connected.rawValue, PackageResources.connected_mustache),
        (Name.console.rawValue, PackageResources.console_mustache),
        (Name.explanation.rawValue, PackageResources.explanation_mustache),
        (Name.finish.rawValue, PackageResources.finish_mustache),
        (Name.grant.rawValue, PackageResources.grant_mustache),
        (Name.overview.rawValue, PackageResources.overview_mustache),
        (Name.setup.rawValue, PackageResources.setup_mustache),
    ]

    private let library: MustacheLibrary

    /// Reads the templates.
    ///
    /// - Throws: what is wrong in one of them; they are part of the program.
    init() throws {
        var library = MustacheLibrary()
        for (name, bytes) in Self.parts + Self.pages {
            try library.register(String(decoding: bytes, as: UTF8.self), named: name)
        }
        self.library = library
    }

    /// A whole page. What the view holds is escaped for HTML wherever it stands.
    ///
    /// - Parameters:
    ///   - name: which page.
    ///   - view: what stands in it, found by the names of its properties. It holds no secret but what its form has to send.
    ///   - status: the status of the reply.
    /// - Returns: the reply, without the fields that all have.
    func page(_ name: Name, _ view: some PageView, status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status,
            headers: [.contentType: "text/html; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text(name, view)))
        )
    }

    /// The text of a page.
    func text(_ name: Name, _ view: some PageView) -> String {
        library.render(view, withTemplate: name.rawValue) ?? ""
    }

    /// The page for a failure.
    func response(to failure: PageFailure) -> Response {
        page(.explanation, ExplanationView(failure), status: failure.status)
    }
}

/// What stands in a page.
protocol PageView {
    /// What stands around it.
    var frame: Frame { get }
}

/// What stands around every page.
struct Frame {
    /// The page's heading, and its name in the browser.
    let title: String
    /// Who looks at it; nil for nobody, who is shown no way to other pages.
    let session: Visit?
    /// Whether it is the overview.
    let atOverview: Bool
    /// Whether it is the page to connect an account on TastyTrade's own page.
    let atAuthorize: Bool
    /// Whether it is the page to connect an account by a grant that was made by hand.
    let atGrant: Bool
    /// Whether it is the page of OAuth clients.
    let atSetup: Bool

    /// Puts it together.
    init(_ title: String, for session: Visit? = nil, at page: PageRenderer.Name? = nil) {
        self.title = title
        self.session = session
        atOverview = page == .overview
        atAuthorize = page == .authorize
        atGrant = page == .grant
        atSetup = page == .setup
    }
}

/// A way to another page.
struct Link {
    /// Where to.
    let address: String
    /// What stands there.
    let words: String
}

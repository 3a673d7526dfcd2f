// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import ArgumentParser
import Glibc
import SocketAPI

/// `tastytoken grant authorize USER`: connects an account on TastyTrade's own page.
struct GrantAuthorizeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "authorize",
        abstract: "Connect a user's account on TastyTrade's own page.",
        discussion: """
            Prints a link to the service's web pages, which is good once, for ten minutes; the browser that opens it is sent to \
            TastyTrade, and back. At a terminal it shows TastyTrade's own address too, for a browser that does not reach those \
            pages: open it there, allow access, and paste the address at which the browser ends. The OAuth client needs the \
            redirect URI under which it is registered at TastyTrade.

            Who has a refresh token at hand, of Create Grant at my.tastytrade.com, needs none of this: tastytoken grant add.

            EXAMPLES
              tastytoken grant authorize 42
              tastytoken grant authorize 42 --client second < /dev/null  # the link alone
            """
    )

    @OptionGroup var subject: UserArgument
    @Option(
        help: ArgumentHelp("The OAuth client that is to ask; see tastytoken client list.", valueName: "name")
    )
    var client: String?
    @Flag(help: "Print the reply as JSON.")
    var json = false
    @OptionGroup var socket: SocketOption

    func run() throws {
        try Console.carryingOut { () throws(Failure) in
            guard isatty(STDIN_FILENO) == 1 else {
                let (link, reply) = try link()
                return Console.print(json ? RawJSON(reply.body[...]).line : link)
            }
            let start = try begin().decoded(AuthorizationReply.self, of: subject.user)
            // Without pages the account can be connected too: by the address that is pasted.
            let link = try? link().text
            let before = link == nil ? nil : lastRefresh()
            let flow = try TerminalFlow(start, link: link)
            Console.ask(flow.invitation(for: Failure.shown(subject.user)))
            guard let address = try flow.read() else { return try showStatus(refreshedAfter: before) }
            let reply = try finish(address)
            try ConnectedAccount.show(reply, of: subject.user, asJSON: json)
        }
    }

    /// A link to the daemon's own pages, and the reply that it came in.
    private func link() throws(Failure) -> (text: String, reply: HTTPReply) {
        let reply = try socket.client.ask(
            request(APIPath.authorizationLinks(of: subject.user)),
            within: SocketClient.patienceForChanges
        )
        let link = try reply.decoded(LinkReply.self, of: subject.user).link
        guard TerminalFlow.isAddress(link) else { throw HTTPReply.garbled }
        return (link, reply)
    }

    private func begin() throws(Failure) -> HTTPReply {
        try socket.client.ask(
            request(APIPath.authorizations(of: subject.user)),
            within: SocketClient.patienceForChanges
        )
    }

    private func request(_ target: String) -> SocketRequest {
        var body = JSONText()
        if let client { body.add(EnrollmentField.client, client) }
        body.close()
        return SocketRequest(method: .post, target: target, body: body.bytes)
    }

    /// Hands over what came back. Where TastyTrade or the database is away for a moment, the daemon goes on from there when it is asked
    /// again, so that nobody has to begin anew.
    private func finish(_ address: RedirectedAddress) throws(Failure) -> HTTPReply {
        var body = JSONText()
        switch address.end {
        case .code(let code): body.add(EnrollmentField.code, code)
        case .error(let error): body.add(EnrollmentField.error, error)
        }
        body.close()
        let request = SocketRequest(
            method: .post,
            target: APIPath.authorization(address.state),
            body: body.bytes
        )
        let end = Deadline(after: SocketClient.patienceForChanges)
        while true {
            let reply = try socket.client.ask(request, within: SocketClient.patienceForProofs)
            guard [429, 503].contains(reply.status), let wait = reply.retryAfter,
                Int32(clamping: (wait + 1) * 1000) < end.millisecondsLeft
            else { return reply }
            Console.warn(reply.failure(of: subject.user).text)
            Console.pause(milliseconds: max(wait, 1) * 1000)
        }
    }

    private func status() throws(Failure) -> HTTPReply {
        try socket.client.get(APIPath.status(of: subject.user), within: SocketClient.patience)
    }

    /// When the account was last refreshed; nil if it never was, or if that is not for this user to see.
    private func lastRefresh() -> String? {
        (try? status().decoded(StatusReply.self, of: subject.user))?.lastRefreshedAt
    }

    /// Shows how the account stands, which a browser is said to have connected. A grant is tried by a refresh: without one since the link was
    /// made, nothing was connected.
    ///
    /// - Parameter before: when the account was last refreshed before.
    /// - Throws: that it is not connected, or that this user may not see whether it is.
    private func showStatus(refreshedAfter before: String?) throws(Failure) {
        let reply = try status()
        let user = Failure.shown(subject.user)
        // Who may connect accounts may not be allowed to look at them.
        if reply.status == 403 {
            throw Failure(
                .notAllowed,
                "whether the account of user \(user) is connected is not for this user to see. It is, if the page said so; the right status "
                    + "(access) lets tastytoken look too."
            )
        }
        let status = try reply.decoded(StatusReply.self, of: subject.user)
        if json { Console.print(RawJSON(reply.body[...]).line) } else { ConnectedAccount.show(status) }
        guard status.isWell, let last = status.lastRefreshedAt, last != before else {
            throw Failure(
                .grantNeedsPerson,
                "nothing was connected: no grant of user \(user) was tried since the link was made. Run this once more, open the link, and "
                    + "press Enter when the page says that the account is connected."
            )
        }
    }
}

extension StatusReply {
    /// Whether the account has a live token and is being kept fresh.
    fileprivate var isWell: Bool { ["active", "refreshing"].contains(status) }
}

/// An authorization that the daemon began.
struct AuthorizationReply: Decodable {
    /// Where on TastyTrade's page a person is to be sent.
    let authorizationURL: String
    /// What comes back from there.
    let state: String

    private enum CodingKeys: String, CodingKey {
        case authorizationURL = "authorization_url"
        case state
    }
}

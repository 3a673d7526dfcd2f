// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Hummingbird
import Logging
import TokenCore

/// Connecting an account by a grant that was made by hand.
extension WebPages {
    /// The form.
    func grant(_ request: Request) async throws -> Response {
        let visit = try visit(request)
        let user = try query(request).verbatim("user") ?? ""
        return renderer.page(.grant, GrantView(await clientNames(), (user, ""), for: visit))
    }

    /// Tries a grant, and puts it into the user's row if it gives a token.
    func connect(_ request: Request) async throws -> Response {
        let visit = try visit(request)
        let fields = try await form(request, of: visit)
        let form = (user: fields.verbatim("user") ?? "", client: fields["client"])
        let token = Secret(fields["refresh_token"])
        var missing: [Problem] = []
        if form.user.isEmpty { missing.append(Problem("Say whose account it is.", at: "user")) }
        if token.isEmpty { missing.append(Problem("Paste the refresh token.", at: "refresh_token")) }
        guard missing.isEmpty else {
            let view = GrantView(await clientNames(), form, missing, for: visit)
            return renderer.page(.grant, view, status: .unprocessableContent)
        }
        do throws(EnrollmentFailure) {
            let user = UserID(form.user)
            let notes = try await enrolling.connect(user, with: token, of: form.client.isEmpty ? nil : form.client)
            let view = GrantView(await clientNames(), ("", form.client), done: DoneView(user, notes), for: visit)
            return renderer.page(.grant, view)
        } catch {
            let view = GrantView(await clientNames(), form, [Problem(error.text, at: error.field)], for: visit)
            return renderer.page(.grant, view, status: error.status).saying(error.retryAfter)
        }
    }

    /// None where they cannot be told: the account's own client does without.
    func clientNames() async -> [String] {
        ((try? await clients().get()) ?? []).map(\.name)
    }
}

extension DoneView {
    fileprivate init(_ user: UserID, _ notes: [String]) {
        self.init(
            title: "The account of user \(ShownUser(user).text) is connected",
            text: "The grant gave a token, and stands in the user’s row.",
            notes: notes,
            link: Link(address: "/", words: "See all accounts")
        )
    }
}

extension EnrollmentFailure {
    /// The field of the form that it is about; nil where it is about none.
    fileprivate var field: String? {
        switch kind {
        case .unknownUser: "user"
        case .unknownClient: "client"
        case .invalid, .grantRefused: "refresh_token"
        case .noSealingKey, .invalidState, .tooSoon, .unavailable: nil
        }
    }
}

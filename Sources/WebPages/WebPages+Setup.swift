// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Hummingbird
import TokenCore

/// OAuth clients.
extension WebPages {
    /// The clients, and an empty form, or that of the client that is to be changed.
    func setup(_ request: Request) async throws -> Response {
        let visit = try visit(request)
        let name = try query(request)["client"]
        let clients = await clients()
        let chosen = try? clients.get().first { $0.name == name && !$0.isConfigured }
        let form = ClientForm(for: chosen, at: configuration)
        return renderer.page(.setup, SetupView(clients, form, at: configuration, for: visit))
    }

    /// Puts a client in.
    func saveClient(_ request: Request) async throws -> Response {
        let visit = try visit(request)
        let form = ClientForm(try await form(request, of: visit))
        guard !form.name.isEmpty else {
            return await refuse(
                form,
                [Problem("Give the client a name.", at: "name")],
                .unprocessableContent,
                for: visit
            )
        }
        if form.isMeantNew, let there = try? await clients().get(), there.contains(where: { $0.name == form.name }) {
            let problem = Problem(
                "There is a client of this name. Choose another name, or change that one in the list.",
                at: "name"
            )
            return await refuse(form, [problem], .unprocessableContent, for: visit)
        }
        do throws(EnrollmentFailure) {
            let (client, notes) = try await enrolling.put(form.draft)
            let view = SetupView(
                await clients(),
                ClientForm(for: nil, at: configuration),
                done: DoneView(client, notes),
                at: configuration,
                for: visit
            )
            return renderer.page(.setup, view)
        } catch {
            return await refuse(form, form.problems(for: error), error.status, for: visit)
        }
    }

    private func refuse(
        _ form: ClientForm,
        _ problems: [Problem],
        _ status: HTTPResponse.Status,
        for visit: Visit
    ) async -> Response {
        renderer.page(
            .setup,
            SetupView(await clients(), form, problems, at: configuration, for: visit),
            status: status
        )
    }

    /// The clients that there are, or why they cannot be told.
    func clients() async -> Result<[ClientListing], EnrollmentFailure> {
        do throws(EnrollmentFailure) {
            return .success(try await enrolling.clients())
        } catch {
            return .failure(error)
        }
    }
}

extension DoneView {
    fileprivate init(_ client: ClientListing, _ notes: [String]) {
        self.init(
            title: "The client \(client.name) is saved",
            text: notes.isEmpty
                ? "Accounts can be connected through it." : "Look at this before accounts are connected through it:",
            notes: notes,
            link: Link(address: GrantPage.path, words: "Connect an account")
        )
    }
}

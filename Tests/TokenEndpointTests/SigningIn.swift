// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import Testing
import TokenCore
import TokenSimulator

@testable import TokenEndpoint

/// A person at the simulator's authorize page.
extension EndpointFixture {
    static let redirectURI = "http://localhost:8000"

    /// The simulator's own client, with the id that a code is bound to.
    var application: ClientRegistration {
        ClientRegistration(
            name: "default",
            environment: .production,
            clientID: SimulatedClient().id,
            clientSecret: registration.clientSecret,
            apiURL: registration.apiURL
        )
    }

    /// Says yes on the page, and gives the code that the browser is sent back with.
    func code(for customer: String = "42", scope: String = "read openid") async throws -> Secret {
        var http = HTTPClient.Configuration(tlsConfiguration: try TokenEndpointClient.tlsConfiguration(caFile: caFile))
        http.redirectConfiguration = .disallow
        let browser = HTTPClient(configuration: http)
        let location: Result<String, any Error>
        do {
            location = .success(try await sentBack(browser, customer, scope))
        } catch {
            location = .failure(error)
        }
        try await browser.shutdown()
        let query = try #require(try location.get().split(separator: "?").last)
        let code = try #require(query.split(separator: "&").first { $0.hasPrefix("code=") })
        return Secret(String(code.dropFirst("code=".count)))
    }

    private func sentBack(_ browser: HTTPClient, _ customer: String, _ scope: String) async throws -> String {
        let query =
            "client_id=\(SimulatedClient().id)&redirect_uri=\(Self.redirectURI)&response_type=code&scope="
            + scope.replacing(" ", with: "%20")
        var request = HTTPClientRequest(url: "\(simulator.url)/auth.html?\(query)")
        request.method = .POST
        request.headers = ["User-Agent": "browser/1", "Content-Type": "application/x-www-form-urlencoded"]
        request.body = .bytes(ByteBuffer(string: "customer=\(customer)&decision=authorize"))
        let response = try await browser.execute(request, timeout: .seconds(60))
        return try #require(response.headers.first(name: "Location"))
    }

    func exchange(_ code: Secret) async throws(RefreshFailure) -> CodeAnswer {
        try await client.exchange(code, redirectURI: Self.redirectURI, for: application)
    }

    func exchangeFailure(_ code: Secret) async throws -> RefreshFailure {
        try await #require(throws: RefreshFailure.self) { _ = try await exchange(code) }
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import AsyncHTTPClient
import FoundationEssentials
import NIOCore
import NIOHTTP1

@testable import TokenSimulator

/// A reply as tests look at it.
struct Reply: Sendable {
    let status: Int
    let headers: [String: String]
    let text: String

    /// The members of a flat JSON object, as texts.
    var json: [String: JSON] { (try? JSONDecoder().decode([String: JSON].self, from: Data(text.utf8))) ?? [:] }
}

/// Any JSON, as far as the tests look into it.
enum JSON: Decodable, Equatable, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral {
    case text(String)
    case number(Double)
    case bool(Bool)
    case object([String: JSON])
    case array([JSON])
    case null

    init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if value.decodeNil() {
            self = .null
        } else if let bool = try? value.decode(Bool.self) {
            self = .bool(bool)
        } else if let number = try? value.decode(Double.self) {
            self = .number(number)
        } else if let text = try? value.decode(String.self) {
            self = .text(text)
        } else if let array = try? value.decode([JSON].self) {
            self = .array(array)
        } else {
            self = .object(try value.decode([String: JSON].self))
        }
    }

    init(stringLiteral text: String) { self = .text(text) }

    init(integerLiteral number: Int) { self = .number(Double(number)) }

    subscript(name: String) -> JSON? {
        if case .object(let members) = self { members[name] } else { nil }
    }

    var text: String? {
        if case .text(let text) = self { text } else { nil }
    }
}

/// A running simulator without TLS, and a client that calls it.
struct Caller: Sendable {
    let simulator: TokenSimulator
    let clock: ManualClock
    let http: HTTPClient

    static let agent = ["User-Agent": "test/1.0"]
    static let secret = SimulatedClient().secret

    /// Runs a test with a simulator of its own.
    static func with(
        _ adjust: (inout SimulatorConfiguration) -> Void = { _ in },
        _ body: (Caller) async throws -> Void
    ) async throws {
        await Turnstile.simulators.enter()
        defer { Turnstile.simulators.leave() }
        var configuration = SimulatorConfiguration(keySeed: "test", randomSeed: 7)
        configuration.usesTLS = false
        adjust(&configuration)
        let clock = ManualClock()
        let simulator = try await TokenSimulator.start(configuration) { clock.now }
        var client = HTTPClient.Configuration(redirectConfiguration: .disallow)
        client.connectionPool.retryConnectionEstablishment = false
        let http = HTTPClient(configuration: client)
        let result: Result<Void, any Error>
        do {
            result = .success(try await body(Caller(simulator: simulator, clock: clock, http: http)))
        } catch {
            result = .failure(error)
        }
        try await http.shutdown()
        try await simulator.stop()
        try result.get()
    }

    /// Makes a call.
    func call(
        _ method: String,
        _ path: String,
        headers: [String: String] = agent,
        body: String? = nil
    ) async throws -> Reply {
        var request = HTTPClientRequest(url: simulator.url + path)
        request.method = .RAW(value: method)
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        if let body { request.body = .bytes(ByteBuffer(string: body)) }
        let response = try await http.execute(request, timeout: .seconds(60))
        let text = String(buffer: try await response.body.collect(upTo: 1 << 20))
        let fields = response.headers.map { ($0.name.lowercased(), $0.value) }
        return Reply(
            status: Int(response.status.code),
            headers: Dictionary(fields, uniquingKeysWith: { $1 }),
            text: text
        )
    }

    /// Posts to the token endpoint in JSON.
    func post(_ fields: [String: String], headers: [String: String] = agent) async throws -> Reply {
        let body = String(decoding: try JSONEncoder().encode(fields), as: UTF8.self)
        return try await call(
            "POST",
            "/oauth/token",
            headers: headers + ["Content-Type": "application/json"],
            body: body
        )
    }

    /// Refreshes with a good request.
    func refresh(_ token: String) async throws -> Reply {
        try await post(Self.fields(token))
    }

    /// The fields of a good request.
    static func fields(_ token: String) -> [String: String] {
        ["grant_type": "refresh_token", "refresh_token": token, "client_secret": secret]
    }

    /// Makes a call to a control route.
    func control(_ method: String, _ path: String, _ body: String? = nil) async throws -> Reply {
        try await call(method, "/_sim/" + path, body: body)
    }
}

/// One set of fields with those of another added.
func + (left: [String: String], right: [String: String]) -> [String: String] {
    left.merging(right) { $1 }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import ArgumentParser
import FoundationEssentials
import Glibc
import TokenSimulator

/// `tastysim serve`: the simulator until a signal ends it.
struct Serve: AsyncParsableCommand {
    /// The verb's words.
    static let configuration = CommandConfiguration(
        abstract: "Answer on a loopback port until SIGTERM or SIGINT.",
        discussion: "Prints one line, 'listening URL', as soon as it answers.\n\n\(FaultHelp.text)"
    )

    /// What grants depend on.
    @OptionGroup var shared: SharedOptions

    /// Where to listen.
    @Option(help: "Loopback address to listen on.") var host = "127.0.0.1"

    /// The port.
    @Option(help: "Port to listen on; 0 takes a free one.") var port: UInt16 = 0

    /// Whether to speak TLS.
    @Flag(inversion: .prefixedNo, help: "Speak TLS, with an authority of its own.") var tls = true

    /// Where clients find the authority.
    @Option(help: "File to write the authority's certificate to (PEM), for clients to trust.") var caFile: String?

    /// The first OAuth client's secret.
    @Option(help: "Client secret, a fake. Also TASTYSIM_CLIENT_SECRET.") var clientSecret: String?

    /// A file with the secret.
    @Option(help: "File that holds the client secret.") var clientSecretFile: String?

    /// Where the first client may have people sent back to.
    @Option(
        name: .customLong("redirect-uri"),
        help: ArgumentHelp("Redirect URI of the client, exactly. Can be given again.", valueName: "uri"),
        transform: Self.redirectURI
    )
    var redirectURIs: [String] = []

    /// Clients beside the first.
    @Option(
        name: .customLong("client"),
        help: ArgumentHelp("Another OAuth client, in JSON. Can be given again.", valueName: "client"),
        transform: Self.client
    )
    var otherClients: [ClientText] = []

    /// How long codes can be exchanged.
    @Option(help: "How long a code of the authorize page can be exchanged.", transform: Self.duration)
    var codeLifetime: Duration = .seconds(60)

    /// How long access tokens live.
    @Option(help: "How long access tokens live, such as 900s or 2500ms.", transform: Self.duration)
    var lifetime: Duration = .seconds(900)

    /// How much later answers come.
    @Option(help: "How much later answers come: 50ms, or drawn from a range: 50ms-200ms.", transform: Self.latency)
    var latency: ClosedRange<Duration>?

    /// What goes wrong from the start.
    @Option(
        name: .customLong("fault"),
        help: ArgumentHelp("A fault from the start: a mode's name, or JSON. Can be given again.", valueName: "fault"),
        transform: Self.fault
    )
    var faults: [ScopedFault] = []

    /// The seed of chance.
    @Option(
        help: "Seed of all that is drawn, a number, so that a run can be repeated; another one each time without it."
    )
    var randomSeed: UInt64?

    /// How many of the last requests are kept.
    @Option(help: "How many of the last requests GET /_sim/requests can show.") var keptRequests = 1000

    /// How many threads serve.
    @Option(help: "Threads that serve.") var threads = 1

    /// Checks what the types cannot.
    func validate() throws {
        guard (1...10_000_000).contains(keptRequests) else {
            throw ValidationError("--kept-requests must be from 1 to 10000000")
        }
        guard (1...64).contains(threads) else { throw ValidationError("--threads must be from 1 to 64") }
        if clientSecret != nil, clientSecretFile != nil {
            throw ValidationError("--client-secret and --client-secret-file exclude each other")
        }
    }

    /// Serves.
    func run() async throws {
        let termination = TerminationSignals()
        let simulator = try await TokenSimulator.start(try simulatorConfiguration(), clock: SimulatorInstant.systemNow)
        print("listening \(simulator.url)")
        fflush(nil)
        await termination.first()
        try await simulator.stop()
    }

    private func simulatorConfiguration() throws -> SimulatorConfiguration {
        var configuration = shared.configuration()
        configuration.host = host
        configuration.port = Int(port)
        configuration.usesTLS = tls
        configuration.caFile = caFile
        configuration.lifetime = lifetime
        configuration.eventLoops = threads
        if let secret = try secret() { configuration.client.secret = secret }
        if !redirectURIs.isEmpty { configuration.client.redirectURIs = redirectURIs }
        let first = configuration.client
        configuration.otherClients = try otherClients.map { try $0.client(like: first) }
        configuration.codeLifetime = codeLifetime
        if let randomSeed { configuration.randomSeed = randomSeed }
        configuration.keptRequests = keptRequests
        if let latency { configuration.faults = [Fault(.latency(latency))] }
        for scoped in faults {
            switch scoped.scope {
            case .all: configuration.faults.append(scoped.fault)
            case .account(let user): configuration.accountFaults[user, default: []].append(scoped.fault)
            }
        }
        return configuration
    }

    private func secret() throws -> String? {
        if let clientSecret { return clientSecret }
        if let clientSecretFile {
            let text = try String(contentsOfFile: clientSecretFile, encoding: .utf8)
            return String(text.prefix { !$0.isNewline })
        }
        return ProcessInfo.processInfo.environment["TASTYSIM_CLIENT_SECRET"]
    }

    private static func duration(_ text: String) throws -> Duration {
        guard let duration = DurationText.duration(text) else {
            throw ValidationError("'\(text)' is no duration such as 500ms, 30s, 5m or 1h")
        }
        return duration
    }

    private static func redirectURI(_ text: String) throws -> String {
        do {
            try RedirectURI.check(text)
            return text
        } catch {
            throw ValidationError(error.description)
        }
    }

    private static func client(_ text: String) throws -> ClientText {
        do {
            return try ClientText(text)
        } catch {
            throw ValidationError(error.description)
        }
    }

    private static func fault(_ text: String) throws -> ScopedFault {
        do {
            let (scope, fault) = try FaultText.read(text)
            return ScopedFault(scope: scope, fault: fault)
        } catch {
            throw ValidationError(error.description)
        }
    }

    private static func latency(_ text: String) throws -> ClosedRange<Duration> {
        guard let range = DurationText.range(text) else {
            throw ValidationError("'\(text)' is no duration, and no range such as 50ms-200ms")
        }
        return range
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Glibc

/// Stands between clients and a ``TemporaryPostgres``, on a Unix socket with PostgreSQL's name in a folder of its own,
/// and does to what passes whatever a network can do: cut it, refuse it, delay it, swallow it, or lose the answer of a
/// statement that the server has carried out. Orders take effect before they return.
package final class DatabaseProxy: Sendable {
    /// How connections are treated.
    struct Manner {
        var delayToServer = Duration.zero
        var delayToClient = Duration.zero
        var isHalted = false
    }

    /// What happened so far.
    package struct Counts: Hashable, Sendable {
        /// Connections that were let in.
        package var taken = 0
        /// Connections that were cut by order.
        package var cut = 0
        /// Answers that were lost.
        package var lostAnswers = 0
    }

    /// What the client sees in the place of an answer that is lost.
    package enum LostAnswer: Sendable {
        /// The end of the connection.
        case cut
        /// Nothing, for as long as it cares to wait.
        case silence
    }

    /// Where its socket is; also what `host=` names.
    package let folder: String

    private let janitor: Janitor
    private let loop: ProxyLoop

    private init(folder: String, janitor: Janitor, loop: ProxyLoop) {
        (self.folder, self.janitor, self.loop) = (folder, janitor, loop)
    }

    deinit {
        loop.end()
    }

    /// Makes one; it lets everything through until it is told otherwise. A server that is away is not waited for: who
    /// comes then is sent away.
    ///
    /// - Parameter server: where it leads.
    /// - Returns: the proxy, at work.
    /// - Throws: why the system made no folder, socket or process.
    package static func start(before server: TemporaryPostgres) throws -> DatabaseProxy {
        let folder = try makeTemporaryFolder(for: "proxy")
        let janitor = try Janitor(folder: folder, stop: ["/bin/true"])
        let name = ".s.PGSQL.5432"
        let loop = try ProxyLoop(path: "\(folder)/\(name)", serverPath: "\(server.folder)/\(name)")
        return DatabaseProxy(folder: folder, janitor: janitor, loop: loop)
    }

    /// The libpq URI of a database behind it. In clear, since it looks into what it forwards.
    package func url(database: String = "postgres", user: String = "postgres") -> String {
        "postgresql:///\(database)?host=\(folder)&user=\(user)&sslmode=disable"
    }

    /// What happened so far.
    package var counts: Counts { loop.change { $0.counts } }

    /// How many connections there are.
    package var connections: Int { loop.change { $0.connections.count } }

    /// Ends all connections there are, on both sides, in the middle of whatever they were at. New ones are let in.
    package func cut() {
        loop.change { state in
            state.counts.cut += state.connections.count
            for connection in state.connections.values { connection.close() }
            state.connections = [:]
        }
    }

    /// Refuses whoever comes from now on (ECONNREFUSED). Connections there are go on.
    package func refuse() {
        loop.change { state in
            if let listener = state.listener.take() { close(listener) }
        }
    }

    /// Lets in again whoever comes.
    ///
    /// - Throws: if its socket cannot be made anew.
    package func admit() throws {
        if loop.change({ $0.listener == nil && !$0.isEnded }) { try loop.listen() }
    }

    /// Keeps what comes from now on for so long before it goes on.
    package func delay(toServer: Duration = .zero, toClient: Duration = .zero) {
        loop.change { ($0.manner.delayToServer, $0.manner.delayToClient) = (toServer, toClient) }
    }

    /// Forwards nothing any more, as a network that swallows everything; whoever comes is let in and hears nothing.
    package func halt() {
        loop.change { $0.manner.isHalted = true }
    }

    /// Forwards again, also what came in meanwhile.
    package func resume() {
        loop.change { $0.manner.isHalted = false }
    }

    /// Loses the answer to the next statement that has these words in its text: the server carries it out and commits it,
    /// and its client is not told. Within a transaction it is the answer to its end that is lost.
    ///
    /// - Parameters:
    ///   - words: as they stand in the statement.
    ///   - ending: what the client sees then.
    package func loseAnswer(to words: String, then ending: LostAnswer = .cut) {
        loop.change { $0.loss = ProxiedConnection.Loss(words: Array(words.utf8), ending: ending) }
    }

    /// Takes all orders back; connections that were treated badly stay as they are.
    ///
    /// - Throws: if its socket cannot be made anew.
    package func heal() throws {
        loop.change { ($0.manner, $0.loss) = (Manner(), nil) }
        try admit()
    }

    /// Ends all connections and itself, and removes what it left. Doing it again does no harm.
    package func tearDown() async {
        loop.end()
        await janitor.finish()
    }
}

/// Runs `body` with a proxy before a server; it is gone afterwards, whatever `body` did.
package func withDatabaseProxy<Value>(
    before server: TemporaryPostgres,
    _ body: (DatabaseProxy) async throws -> Value
) async throws -> Value {
    let proxy = try DatabaseProxy.start(before: server)
    do {
        let value = try await body(proxy)
        await proxy.tearDown()
        return value
    } catch {
        await proxy.tearDown()
        throw error
    }
}

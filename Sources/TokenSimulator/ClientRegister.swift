// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// The OAuth clients that a simulator knows, the first of which is the one that grants are for unless told otherwise.
struct ClientRegister: Sendable {
    /// The clients, in the order in which they were registered.
    private(set) var all: [SimulatedClient]

    /// Takes the clients there are from the start, the first first.
    init(_ first: SimulatedClient, _ others: [SimulatedClient] = []) {
        self.all = [first] + others
    }

    /// The client that grants are for unless told otherwise.
    var first: SimulatedClient { all[0] }

    /// The client with an id.
    subscript(id: String) -> SimulatedClient? { all.first { $0.id == id } }

    /// The client with an id, or the first where none is named.
    func client(_ id: String?) -> SimulatedClient? {
        guard let id else { return first }
        return self[id]
    }

    /// Registers a client, in place of the one that has its id.
    mutating func register(_ client: SimulatedClient) {
        if let index = all.firstIndex(where: { $0.id == client.id }) {
            all[index] = client
        } else {
            all.append(client)
        }
    }
}

/// A client in JSON, as `POST /_sim/clients` and `--client` take it.
///
///     {"client_id":"second","client_secret":"fake","name":"Second","redirect_uris":["http://localhost:8000"],"scope":"read"}
///     {"client_id":"second","client_secret":"anew","kill_grants":true}
struct ClientOrder: Codable, Hashable, Sendable {
    /// Which client.
    var clientId: String
    /// Its secret; a client that is there keeps its own where this is missing.
    var clientSecret: String?
    /// What the authorize page calls it.
    var name: String?
    /// Where people may be sent back to.
    var redirectUris: [String]?
    /// What its grants may allow.
    var scope: String?
    /// Whether the grants that it has now are revoked, as by TastyTrade when a secret is made anew.
    var killGrants: Bool?

    /// The client that is ordered. What is not said stays as it is for a client that is there; another takes redirect URIs
    /// and scopes from `model`.
    func client(changing old: SimulatedClient?, like model: SimulatedClient) throws(SimulatorFailure) -> SimulatedClient
    {
        var client = old ?? model
        client.id = clientId
        guard let secret = clientSecret ?? old?.secret else {
            throw SimulatorFailure("client \(clientId) is new, and needs client_secret")
        }
        client.secret = secret
        client.name = name ?? old?.name ?? clientId
        if let redirectUris { client.redirectURIs = redirectUris }
        if let scope { client.scope = scope }
        try client.check()
        return client
    }
}

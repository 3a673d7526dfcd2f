// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import FoundationEssentials

/// A client beside the first, as the command line has it.
package struct ClientText: Sendable {
    private let order: ClientOrder

    /// Reads the JSON that the control route takes.
    ///
    /// - Throws: What is wrong with it.
    package init(_ text: String) throws(SimulatorFailure) {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        guard let order = try? decoder.decode(ClientOrder.self, from: Data(text.utf8)) else {
            // The text holds a secret, if a fake one.
            throw SimulatorFailure("a client is JSON such as {\"client_id\":\"second\",\"client_secret\":\"fake\"}")
        }
        self.order = order
        _ = try client(like: SimulatedClient())
    }

    /// The client, with redirect URIs and scopes of the first where it names none.
    ///
    /// - Throws: What is wrong with it.
    package func client(like first: SimulatedClient) throws(SimulatorFailure) -> SimulatedClient {
        try order.client(changing: nil, like: first)
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// Grants, and the clients that they are for.
extension ControlRoutes {
    private struct GrantOrder: Codable {
        let user: String
        let clientId: String?
        let scope: String?
    }

    private struct ClientView: Encodable {
        let clientId: String
        let name: String
        let redirectUris: [String]
        let scope: String
    }

    /// Makes a grant.
    func makeGrant(_ request: SimulatedRequest) throws(Refused) -> SimulatedReply {
        let order: GrantOrder = try decode(request)
        do {
            let token = try service.makeGrant(for: order.user, client: order.clientId, scope: order.scope)
            return .json(200, ["refresh_token": token])
        } catch let failure as SimulatorFailure {
            throw refused(400, failure.description)
        } catch {
            throw refused(500, "Signing failed")
        }
    }

    /// Lists the clients, without their secrets.
    func listClients() -> SimulatedReply {
        let views = service.update { $0.clients.all }.map { client in
            ClientView(
                clientId: client.id,
                name: client.name,
                redirectUris: client.redirectURIs,
                scope: client.scope
            )
        }
        return .json(200, ["clients": views])
    }

    /// Registers or changes a client.
    func registerClient(_ request: SimulatedRequest) throws(Refused) -> SimulatedReply {
        let order: ClientOrder = try decode(request)
        let clients = service.update { $0.clients }
        do {
            let client = try order.client(changing: clients[order.clientId], like: clients.first)
            try service.register(client, killingGrants: order.killGrants == true)
        } catch {
            throw refused(400, error.description)
        }
        return Self.done
    }
}

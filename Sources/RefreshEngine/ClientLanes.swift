// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// The lanes of all clients, by their numbers.
struct ClientLanes: Sendable {
    /// As many as ``LaneNumber`` tells apart.
    private static let most = 256

    private var lanes: [ClientLane]
    private var byName: [String: LaneNumber] = [:]

    /// One lane, that of the configuration's client.
    init(_ first: ClientLane) {
        lanes = [first]
    }

    /// All there are at the time of the call. Holds none of them, so that each can be changed in its place meanwhile.
    var numbers: some Sequence<LaneNumber> { (0..<lanes.count).lazy.map { LaneNumber(value: UInt8($0)) } }

    /// One of them.
    subscript(number: LaneNumber) -> ClientLane {
        get { lanes[Int(number.value)] }
        _modify { yield &lanes[Int(number.value)] }
    }

    /// Accounts being claimed and calls under way, in all of them.
    var inFlight: Int { lanes.reduce(0) { $0 + $1.inFlight } }

    /// Accounts in line, in all of them.
    var inLine: Int { lanes.reduce(0) { $0 + $1.ready.count } }

    /// Why no refreshes are made, in words, by client where there are several; nil while they are.
    var standstill: String? {
        let stopped = lanes.compactMap { lane in
            lane.standstill.map { lanes.count > 1 ? "client \(lane.client.name): \($0)" : $0 }
        }
        return stopped.isEmpty ? nil : stopped.joined(separator: "; ")
    }

    /// That of the client of that name, nil being the configuration's; nil for a name that was not heard of.
    func number(of client: String?) -> LaneNumber? {
        guard let client else { return .ofDefault }
        return byName[client]
    }

    /// Takes in the clients as they are now. A lane stays when its client is gone: nobody is in it any more.
    ///
    /// - Parameters:
    ///   - stored: the clients.
    ///   - makeLane: makes a lane for a client that has none.
    /// - Returns: the lanes whose client came or changed.
    mutating func take(
        _ stored: [StoredClient],
        _ makeLane: (ClientRegistration) -> ClientLane
    ) -> [LaneNumber] {
        var news: [LaneNumber] = []
        for client in stored {
            let registration = ClientRegistration(
                client,
                apiURL: self[.ofDefault].client.apiURL(of: client.environment)
            )
            if let number = number(of: client.name) {
                guard self[number].client != registration || self[number].obstacle != client.obstacle else { continue }
                self[number].client = registration
                self[number].obstacle = client.obstacle
                news.append(number)
            } else if lanes.count < Self.most {
                let number = LaneNumber(value: UInt8(lanes.count))
                lanes.append(makeLane(registration))
                self[number].obstacle = client.obstacle
                byName[client.name] = number
                news.append(number)
            }
        }
        return news
    }

    /// Changes each of them.
    mutating func forEach(_ body: (inout ClientLane) -> Void) {
        for index in lanes.indices { body(&lanes[index]) }
    }
}

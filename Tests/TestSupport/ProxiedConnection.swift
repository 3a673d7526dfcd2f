// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Glibc

/// One client of a ``DatabaseProxy``, with the connection to the server that was made for it.
struct ProxiedConnection {
    /// What is to be done with the answer to a statement.
    struct Loss {
        /// Which statement it is: the first one with these words in it.
        let words: [UInt8]
        /// What the client sees afterwards.
        let ending: DatabaseProxy.LostAnswer
    }

    private enum Answers {
        /// They go on to the client.
        case forwarded
        /// They are kept until it is known whether the transaction is over.
        case withheld([UInt8], DatabaseProxy.LostAnswer)
        /// They go nowhere.
        case discarded
    }

    /// An answer that is longer is let go: what matters is its end.
    private static let mostWithheld = 1_048_576

    /// The client's descriptor.
    let client: CInt
    /// The server's.
    let server: CInt
    private var toServer = ProxyFlow()
    private var toClient = ProxyFlow()
    private var requests = WireMessages(beginsUntyped: true)
    private var replies = WireMessages(beginsUntyped: false)
    private var answers = Answers.forwarded

    /// Takes possession of two descriptors.
    init(client: CInt, server: CInt) {
        (self.client, self.server) = (client, server)
    }

    /// Ends both.
    func close() {
        Glibc.close(client)
        Glibc.close(server)
    }

    /// What is to be waited for at the two descriptors.
    func interests(at now: ContinuousClock.Instant) -> [pollfd] {
        [
            Self.interest(client, reads: toServer.wantsMore, writes: toClient.due.map { $0 <= now } ?? false),
            Self.interest(server, reads: toClient.wantsMore, writes: toServer.due.map { $0 <= now } ?? false),
        ]
    }

    /// When something that waits may go on.
    var due: ContinuousClock.Instant? { [toServer.due, toClient.due].compactMap { $0 }.min() }

    /// Reads and writes what can be. A statement whose answer is to be lost uses up `loss`.
    ///
    /// - Returns: whether the connection goes on, and whether an answer was lost.
    mutating func act(
        _ manner: DatabaseProxy.Manner,
        loss: inout Loss?,
        at now: ContinuousClock.Instant
    ) -> (
        goesOn: Bool, lost: Bool
    ) {
        var lost = false
        if toServer.wantsMore {
            guard let bytes = toServer.read(from: client) else { return (false, lost) }
            for message in requests.take(bytes) {
                guard let order = loss, message.isStatement(with: order.words) else { continue }
                answers = .withheld([], order.ending)
                loss = nil
            }
            toServer.add(bytes, due: now + manner.delayToServer)
        }
        if toClient.wantsMore {
            guard let bytes = toClient.read(from: server) else { return (false, lost) }
            let (goesOn, isLost) = answer(bytes, due: now + manner.delayToClient)
            lost = isLost
            guard goesOn else { return (false, lost) }
        }
        guard case .done = toServer.write(to: server, at: now), case .done = toClient.write(to: client, at: now) else {
            return (false, lost)
        }
        return (!toServer.isOver && !toClient.isOver, lost)
    }

    private mutating func answer(_ bytes: [UInt8], due: ContinuousClock.Instant) -> (goesOn: Bool, lost: Bool) {
        let ready = replies.take(bytes).compactMap(\.isIdle).last
        switch answers {
        case .forwarded: toClient.add(bytes, due: due)
        case .discarded: break
        case .withheld(let earlier, let ending):
            if ready == true {
                answers = .discarded
                return (ending == .silence, true)
            }
            let all = earlier + bytes
            let isLetGo = ready != nil || all.count > Self.mostWithheld
            answers = .withheld(isLetGo ? [] : all, ending)
            if isLetGo { toClient.add(all, due: due) }
        }
        return (true, false)
    }

    /// Without anything to wait for, not even an end is looked at: it would be reported again and again.
    private static func interest(_ descriptor: CInt, reads: Bool, writes: Bool) -> pollfd {
        let events = (reads ? POLLIN : 0) | (writes ? POLLOUT : 0)
        return pollfd(fd: events == 0 ? -1 : descriptor, events: Int16(events), revents: 0)
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import Synchronization
import Testing

@testable import SocketServer

@Suite struct LoopInboxTests {
    private func isReadable(_ descriptor: Int32) -> Bool {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&entry, 1, 0) == 1
    }

    @Test func messagesWakeTheLoopAndComeInOrder() throws {
        let inbox = try LoopInbox(for: "test")
        defer { _ = inbox.end() }
        #expect(!isReadable(inbox.descriptor))
        let order = Mutex<[Int]>([])
        for number in 1...3 {
            #expect(inbox.post(.call { order.withLock { $0.append(number) } }))
            #expect(isReadable(inbox.descriptor))
        }
        for case .call(let body) in inbox.takeAll() { body() }
        #expect(order.withLock { $0 } == [1, 2, 3])
        #expect(!isReadable(inbox.descriptor))
        #expect(inbox.takeAll().isEmpty)
    }

    @Test func anInboxThatEndedGivesWhatIsLeftAndTakesNoMore() throws {
        let inbox = try LoopInbox(for: "test")
        #expect(inbox.post(.stop))
        #expect(inbox.end().count == 1)
        #expect(!inbox.post(.stop))
        #expect(inbox.end().isEmpty)
    }
}

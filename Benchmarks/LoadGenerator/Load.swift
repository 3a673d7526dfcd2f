// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import CEpoll
import Glibc

/// One measurement: many connections, each with one request outstanding, from one thread.
struct Load {
    /// What one measurement gave.
    struct Result {
        /// Replies in a second.
        let rate: Double
        /// Processor time of the server for a reply, in microseconds; what a noisy machine disturbs least.
        let processorTime: Double
        /// From request to reply, in microseconds: the median, and what 99 of 100 stay below.
        let median: Double
        let p99: Double
    }

    private struct Client {
        var connection: Connection
        var key: Int
        var missing = 0
        var sentAt: Int64 = 0
    }

    private let server: Server
    private let sticky: Bool
    private var clients: [Client]
    private var latencies = Histogram()
    private let poll = epoll_create1(0)
    private let processorClocks: [clockid_t]

    /// Connects. With `sticky` each connection asks for one key only, else for the next one each time.
    init(_ server: Server, connections: Int, sticky: Bool) throws {
        self.server = server
        self.sticky = sticky
        self.clients = try (0..<connections).map { number in
            Client(connection: try Connection(to: server.path), key: number * 7 % server.requests.count)
        }
        self.processorClocks = try clients[0].connection.processorClocksOfPeer()
        for number in clients.indices { try watch(number) }
    }

    private func watch(_ number: Int) throws {
        var event = epoll_event()
        event.events = EPOLLIN.rawValue
        event.data.u64 = UInt64(number)
        guard epoll_ctl(poll, EPOLL_CTL_ADD, clients[number].connection.descriptor, &event) == 0 else {
            throw LoadError("epoll_ctl failed")
        }
    }

    /// Runs for so long. The first tenth of the time is not counted.
    mutating func run(seconds: Double) throws -> Result {
        defer { hangUp() }
        for number in clients.indices {
            clients[number].sentAt = monotonic()
            try ask(number)
        }
        let start = monotonic()
        let counted = start + Int64(seconds * 1e8)
        let end = start + Int64(seconds * 1e9)
        var now = start
        var busySince = processorTime()
        while now < end {
            try turn()
            let before = now
            now = monotonic()
            if before < counted, now >= counted {
                latencies = Histogram()
                busySince = processorTime()
            }
        }
        let busy = processorTime() - busySince
        return Result(
            rate: Double(latencies.count) / (Double(now - counted) / 1e9),
            processorTime: Double(busy) / 1000 / Double(max(latencies.count, 1)),
            median: latencies.quantile(0.5),
            p99: latencies.quantile(0.99)
        )
    }

    private mutating func turn() throws {
        try withUnsafeTemporaryAllocation(of: epoll_event.self, capacity: 512) { events in
            let count = Int(epoll_wait(poll, events.baseAddress, 512, 1000))
            guard count > 0 else { throw LoadError("no reply for a second") }
            for event in events.prefix(count) { try take(Int(event.data.u64)) }
        }
    }

    private mutating func take(_ number: Int) throws {
        let descriptor = clients[number].connection.descriptor
        let received = withUnsafeTemporaryAllocation(byteCount: 16_384, alignment: 16) {
            read(descriptor, $0.baseAddress, 16_384)
        }
        guard received > 0 || server.kind.hangsUp && received == 0 else { throw LoadError("the server hung up") }
        clients[number].missing -= received
        guard clients[number].missing >= 0 else { throw LoadError("a reply was longer than the same one before") }
        guard server.kind.hangsUp ? received == 0 : clients[number].missing == 0 else { return }
        guard clients[number].missing == 0 else { throw LoadError("a reply was cut short") }
        latencies.add(monotonic() - clients[number].sentAt)
        if !sticky { clients[number].key = (clients[number].key + 1) % server.requests.count }
        clients[number].sentAt = monotonic()
        if server.connectsAnew { try reconnect(number) }
        try ask(number)
    }

    private mutating func reconnect(_ number: Int) throws {
        clients[number].connection.close()
        clients[number].connection = try Connection(to: server.path)
        try watch(number)
    }

    private mutating func ask(_ number: Int) throws {
        let key = clients[number].key
        clients[number].missing = server.replyLengths[key]
        try clients[number].connection.send(server.requests[key])
    }

    private func hangUp() {
        for client in clients { client.connection.close() }
        close(poll)
    }

    private func processorTime() -> Int64 {
        processorClocks.reduce(0) { $0 + time($1) }
    }

    private func monotonic() -> Int64 {
        time(CLOCK_MONOTONIC)
    }

    private func time(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}

/// Counts times in buckets that are 3 % wide, so that a percentile costs no list of all of them.
struct Histogram {
    private var buckets = [Int](repeating: 0, count: 64 * 32)
    /// Times that were added.
    private(set) var count = 0

    /// Adds a time in nanoseconds.
    mutating func add(_ nanoseconds: Int64) {
        let value = UInt64(max(nanoseconds, 32))
        let octave = 63 - value.leadingZeroBitCount
        buckets[octave * 32 + Int(value >> (octave - 5) & 31)] += 1
        count += 1
    }

    /// The time in microseconds that so large a share of all stays below.
    func quantile(_ share: Double) -> Double {
        var left = Int(Double(count) * share)
        for (index, number) in buckets.enumerated() {
            left -= number
            if left < 0 { return Double(UInt64(32 + index % 32) << (index / 32 - 5)) / 1000 }
        }
        return 0
    }
}

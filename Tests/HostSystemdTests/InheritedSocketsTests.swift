// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Glibc
import HostSystemd
import Synchronization
import Testing

/// Real descriptors at numbers in a row, as a service manager leaves them.
private final class Descriptors {
    private static let next = Mutex<Int32>(600)
    let first: Int32
    private var count: Int32 = 0

    init() {
        first = Self.next.withLock { number in
            defer { number += 8 }
            return number
        }
    }

    deinit {
        for number in first..<(first + count) { close(number) }
    }

    func add(_ descriptor: Int32) throws {
        try #require(descriptor >= 0)
        // dup2 leaves the copy open across exec, as inherited descriptors are.
        try #require(dup2(descriptor, first + count) >= 0)
        close(descriptor)
        count += 1
    }

    func addSocket(_ family: Int32, _ type: __socket_type, listening: Bool) throws {
        let descriptor = socket(family, Int32(type.rawValue), 0)
        if listening {
            // A Unix socket bound to a family alone gets an abstract address from the kernel (unix(7), autobind).
            var address = sockaddr(sa_family: sa_family_t(family), sa_data: sockaddr().sa_data)
            let length = family == AF_UNIX ? MemoryLayout<sa_family_t>.size : MemoryLayout<sockaddr>.size
            try #require(bind(descriptor, &address, socklen_t(length)) == 0)
            try #require(listen(descriptor, 8) == 0)
        }
        try add(descriptor)
    }

    func environment(names: String?) -> [String: String] {
        var environment = ["LISTEN_PID": "7", "LISTEN_FDS": "\(count)"]
        environment["LISTEN_FDNAMES"] = names
        return environment
    }
}

@Suite struct InheritedSocketsTests {
    @Test func listenersAreFoundByNameAndClosedToChildren() throws {
        let given = Descriptors()
        for _ in 0..<3 { try given.addSocket(AF_UNIX, SOCK_STREAM, listening: true) }
        let environment = given.environment(names: "api:credentials:api")
        let sockets = try InheritedSockets(environment: environment, processID: 7, first: given.first)
        #expect(sockets.names == ["api", "credentials", "api"])
        #expect(try sockets.listeners(named: "api") == [given.first, given.first + 2])
        #expect(try sockets.listeners(named: "credentials") == [given.first + 1])
        #expect(try sockets.listeners(named: "metrics").isEmpty)
        for number in given.first..<(given.first + 3) {
            #expect(fcntl(number, F_GETFD) & FD_CLOEXEC != 0)
        }
    }

    @Test func inheritedListenerTakesACall() throws {
        let given = Descriptors()
        try given.addSocket(AF_UNIX, SOCK_STREAM, listening: true)
        let environment = given.environment(names: "api")
        let listener = try #require(
            try InheritedSockets(environment: environment, processID: 7, first: given.first)
                .listeners(named: "api").first
        )
        var address = sockaddr_un()
        var length = socklen_t(MemoryLayout<sockaddr_un>.size)
        let caller = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(caller) }
        let connected = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
                getsockname(listener, raw, &length) == 0 && connect(caller, raw, length) == 0
            }
        }
        #expect(connected)
        let accepted = accept(listener, nil, nil)
        #expect(accepted >= 0)
        close(accepted)
    }

    @Test func socketsOfAnotherProcessAreNotOurs() throws {
        let given = Descriptors()
        try given.addSocket(AF_UNIX, SOCK_STREAM, listening: true)
        let environment = given.environment(names: "api")
        #expect(try InheritedSockets(environment: environment, processID: 8, first: given.first).names.isEmpty)
        #expect(try InheritedSockets(environment: [:], processID: 7).names.isEmpty)
        #expect(fcntl(given.first, F_GETFD) & FD_CLOEXEC == 0)
    }

    @Test func withoutNamesTheyAreUnknown() throws {
        let given = Descriptors()
        try given.addSocket(AF_UNIX, SOCK_STREAM, listening: true)
        let environment = given.environment(names: nil)
        let sockets = try InheritedSockets(environment: environment, processID: 7, first: given.first)
        #expect(sockets.names == ["unknown"])
    }

    @Test func wrongKindsAreToldApart() throws {
        let given = Descriptors()
        try given.add(open("/dev/null", O_RDWR))
        try given.addSocket(AF_INET, SOCK_STREAM, listening: true)
        try given.addSocket(AF_UNIX, SOCK_DGRAM, listening: false)
        try given.addSocket(AF_UNIX, SOCK_STREAM, listening: false)
        let environment = given.environment(names: "file:inet:datagram:deaf")
        let sockets = try InheritedSockets(environment: environment, processID: 7, first: given.first)
        let complaints = [
            "file": "inherited socket file is no socket",
            "inet": "inherited socket inet is no Unix socket: give ListenStream= a path",
            "datagram": "inherited socket datagram is no stream socket: use ListenStream=",
            "deaf": "inherited socket deaf does not listen: use Accept=no",
        ]
        for (name, complaint) in complaints {
            #expect(throws: HostFailure(complaint)) { try sockets.listeners(named: name) }
        }
    }

    @Test(arguments: [
        ["LISTEN_PID": "x", "LISTEN_FDS": "1"],
        ["LISTEN_PID": "7", "LISTEN_FDS": "many"],
        ["LISTEN_PID": "7", "LISTEN_FDS": "-1"],
        ["LISTEN_PID": "7", "LISTEN_FDS": "1", "LISTEN_FDNAMES": "a:b"],
        ["LISTEN_PID": "7", "LISTEN_FDS": "1", "LISTEN_FDNAMES": "closed"],
    ])
    func variablesThatDoNotFitAreRefused(environment: [String: String]) {
        // Nothing is open at that number.
        #expect(throws: HostFailure.self) {
            try InheritedSockets(environment: environment, processID: 7, first: 590)
        }
    }
}

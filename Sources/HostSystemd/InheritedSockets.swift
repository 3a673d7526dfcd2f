// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import CSystemd
import Glibc
import TokenCore

/// The sockets that the service manager opened for us, by the name that the socket unit gives them
/// (`FileDescriptorName=`; sd_listen_fds_with_names(3)). None, where it opened none or opened them for another process.
package struct InheritedSockets: Sendable {
    private let descriptors: [(name: String, descriptor: Int32)]

    /// Takes over the descriptors and closes them to programs that we might start.
    ///
    /// - Parameters:
    ///   - environment: holds `LISTEN_PID`, `LISTEN_FDS` and, from most managers, `LISTEN_FDNAMES`.
    ///   - processID: our own; descriptors for another process are not ours.
    ///   - first: the number of the first one, 3 by convention.
    /// - Throws: what is wrong with the variables or a descriptor.
    package init(
        environment: [String: String],
        processID: Int32,
        first: Int32 = Int32(SD_LISTEN_FDS_START)
    ) throws(HostFailure) {
        guard let owner = environment["LISTEN_PID"], let text = environment["LISTEN_FDS"] else {
            self.descriptors = []
            return
        }
        guard let pid = Int32(owner) else { throw HostFailure("LISTEN_PID is not a process id") }
        guard pid == processID else {
            self.descriptors = []
            return
        }
        guard let count = Int(text), (0...1024).contains(count) else {
            throw HostFailure("LISTEN_FDS is not a number of descriptors")
        }
        self.descriptors = try Self.named(environment["LISTEN_FDNAMES"], count: count, first: first)
        for entry in descriptors { try Self.closeOnExec(entry.descriptor) }
    }

    /// The names there are, in the order of the descriptors; a name may stand there more than once.
    package var names: [String] { descriptors.map(\.name) }

    /// The descriptors of that name, each a Unix stream socket that listens; empty if there is none of that name.
    ///
    /// - Throws: if one is anything else, with what to change in the socket unit.
    package func listeners(named name: String) throws(HostFailure) -> [Int32] {
        var found: [Int32] = []
        for entry in descriptors where entry.name == name {
            try Self.check(entry.descriptor, named: name)
            found.append(entry.descriptor)
        }
        return found
    }

    private static func named(
        _ list: String?,
        count: Int,
        first: Int32
    ) throws(HostFailure) -> [(name: String, descriptor: Int32)] {
        // Managers that know no names leave the variable out; sd_listen_fds_with_names(3) then says "unknown".
        let names =
            list.map { $0.split(separator: ":", omittingEmptySubsequences: false).map(String.init) }
            ?? Array(repeating: "unknown", count: count)
        guard names.count == count else {
            throw HostFailure("LISTEN_FDNAMES has \(names.count) names for \(count) descriptors")
        }
        return names.indices.map { (names[$0], first + Int32($0)) }
    }

    private static func closeOnExec(_ descriptor: Int32) throws(HostFailure) {
        let flags = fcntl(descriptor, F_GETFD)
        guard flags >= 0, fcntl(descriptor, F_SETFD, flags | FD_CLOEXEC) >= 0 else {
            throw HostFailure.system("descriptor \(descriptor) that LISTEN_FDS announces")
        }
    }

    private static func check(_ descriptor: Int32, named name: String) throws(HostFailure) {
        let subject = "inherited socket \(SafeText(name, toBytes: SafeText.codeLimit))"
        guard sd_is_socket(descriptor, AF_UNSPEC, 0, -1) > 0 else {
            throw HostFailure("\(subject) is no socket")
        }
        guard sd_is_socket(descriptor, AF_UNIX, 0, -1) > 0 else {
            throw HostFailure("\(subject) is no Unix socket: give ListenStream= a path")
        }
        guard sd_is_socket_unix(descriptor, Int32(SOCK_STREAM.rawValue), -1, nil, 0) > 0 else {
            throw HostFailure("\(subject) is no stream socket: use ListenStream=")
        }
        guard sd_is_socket_unix(descriptor, Int32(SOCK_STREAM.rawValue), 1, nil, 0) > 0 else {
            throw HostFailure("\(subject) does not listen: use Accept=no")
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import Foundation

/// A child process with standard streams of our choosing and nothing else of ours.
///
/// Foundation's `Process` learns of a child's end by a socket that the child inherits. A server that the child starts
/// and leaves running keeps that socket, and the child never seems to end. Hence this one, which waits for the process
/// itself.
package struct ChildProcess: Sendable {
    /// Its process id.
    package let pid: pid_t

    /// Starts a program by its path.
    ///
    /// - Parameters:
    ///   - words: the path and the arguments.
    ///   - environment: what the child has for an environment, as `NAME=value`.
    ///   - streams: descriptors for the child's standard input, output and error; nil is `/dev/null`.
    /// - Throws: if the program cannot be started.
    package init(_ words: [String], environment: [String], streams: [CInt?]) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (number, stream) in streams.enumerated() {
            if let stream {
                posix_spawn_file_actions_adddup2(&actions, stream, CInt(number))
            } else {
                posix_spawn_file_actions_addopen(&actions, CInt(number), "/dev/null", O_RDWR, 0)
            }
        }
        // Closing what is not open is no error here; what another thread opens meanwhile is closed too.
        for descriptor in CInt(streams.count)..<(Self.highestDescriptor() + 64) {
            posix_spawn_file_actions_addclose(&actions, descriptor)
        }
        // A thread of Dispatch holds signals back, and NIO ignores SIGPIPE: children would inherit both.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        var usual = sigset_t()
        sigemptyset(&usual)
        sigaddset(&usual, SIGPIPE)
        posix_spawnattr_setsigdefault(&attributes, &usual)
        posix_spawnattr_setflags(&attributes, CShort(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        var pid: pid_t = 0
        let code = Self.withCStrings(words) { arguments in
            Self.withCStrings(environment) { variables in
                posix_spawn(&pid, words[0], &actions, &attributes, arguments, variables)
            }
        }
        guard code == 0 else { throw TestSupportError("\(words[0]) could not be started, errno \(code).") }
        self.pid = pid
    }

    /// Waits for its end and gives its exit status, or minus the signal that ended it. Blocks; to be called once.
    package func wait() -> CInt {
        var status: CInt = 0
        while waitpid(pid, &status, 0) < 0 {
            guard errno == EINTR else { return -1 }
        }
        let signal = status & 0x7F
        return signal == 0 ? (status >> 8) & 0xFF : -signal
    }

    private static func highestDescriptor() -> CInt {
        let open = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
        return open.compactMap { CInt($0) }.max() ?? 1024
    }

    private static func withCStrings<Value>(
        _ texts: [String],
        _ body: ([UnsafeMutablePointer<CChar>?]) -> Value
    ) -> Value {
        let copies = texts.map { strdup($0) }
        defer { copies.forEach { free($0) } }
        return body(copies + [nil])
    }
}

/// A pipe whose ends no child inherits by accident.
package struct PipeEnds: Sendable {
    /// Where one reads.
    package let reading: CInt
    /// Where one writes.
    package let writing: CInt

    /// Makes a pipe.
    package init() throws {
        var ends: [CInt] = [-1, -1]
        guard pipe(&ends) == 0 else { throw TestSupportError("pipe failed, errno \(errno).") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        self.reading = ends[0]
        self.writing = ends[1]
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import CLinux
import Glibc
import SocketAPI

/// Signals that wait their turn in a descriptor, instead of breaking in anywhere.
struct SignalQueue {
    private let descriptor: Int32
    private var set: sigset_t

    /// Holds these signals back from now on.
    ///
    /// - Throws: if the system has no descriptor left.
    init(_ signals: [Int32]) throws(Failure) {
        var set = sigset_t()
        sigemptyset(&set)
        for signal in signals { sigaddset(&set, signal) }
        sigprocmask(SIG_BLOCK, &set, nil)
        self.set = set
        self.descriptor = signalfd(-1, &set, Int32(SFD_CLOEXEC | SFD_NONBLOCK))
        guard descriptor >= 0 else {
            throw Failure(.tryLater, "cannot wait for signals: \(String(cString: strerror(errno)))")
        }
    }

    /// Lets them through again; what waits comes at once.
    func release() {
        close(descriptor)
        var set = set
        sigprocmask(SIG_UNBLOCK, &set, nil)
    }

    /// What it waits for.
    var interest: pollfd { pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0) }

    /// The next signal that came; nil if none did.
    func next() -> Int32? {
        var information = signalfd_siginfo()
        let size = MemoryLayout<signalfd_siginfo>.size
        return read(descriptor, &information, size) == size ? Int32(information.ssi_signo) : nil
    }
}

/// How a command that went on for a while has ended.
enum Ending: Equatable {
    /// As it was asked to.
    case done
    /// By a signal.
    case signal(Int32)

    /// Ends the process by the same signal, so that the shell that started it knows, and stops its loops too.
    func carryOut() {
        guard case .signal(let number) = self else { return }
        Glibc.signal(number, SIG_DFL)
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, number)
        raise(number)
        sigprocmask(SIG_UNBLOCK, &set, nil)
    }
}

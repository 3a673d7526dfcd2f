// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

// Where the whole module is compiled at once, the types of sockets belong to the first C module that brings them.
import CSystemd
import Glibc
package import Logging
import TokenCore

/// Tells the service manager how the daemon fares: the datagrams of sd_notify(3), each in a socket of its own.
///
/// libsystemd's `sd_notify` takes the address from the process's environment, which nothing below the composition root
/// may read. The protocol is a stable interface that sd_notify(3) invites programs to speak themselves, so this does,
/// and the address is an argument. Without an address (no service manager) every message is dropped in silence.
package struct ServiceNotifier: Sendable {
    private let address: NotifyAddress?
    private let logger: Logger

    /// Speaks to `address`; to nobody if it is nil. What cannot be delivered is logged, and stops nothing.
    package init(address: NotifyAddress?, logger: Logger) {
        self.address = address
        self.logger = logger
    }

    /// The daemon answers with what it has; also ends a reload.
    package func ready(status: String) {
        send("READY=1\n\(Self.statusLine(status))")
    }

    /// What the daemon is doing, in words, as `systemctl status` shows it.
    package func status(_ text: String) {
        send(Self.statusLine(text))
    }

    /// The daemon is going down; no refresh begins any more.
    package func stopping(status: String) {
        send("STOPPING=1\n\(Self.statusLine(status))")
    }

    /// The configuration is being read again. `monotonicMicroseconds` is `CLOCK_MONOTONIC` when the signal was taken,
    /// by which the manager (`Type=notify-reload`) tells this reload's end from an earlier one's.
    package func reloading(monotonicMicroseconds: UInt64, status: String) {
        send("RELOADING=1\nMONOTONIC_USEC=\(monotonicMicroseconds)\n\(Self.statusLine(status))")
    }

    /// Start or stop needs that much longer from now on, as a migration or a drain does.
    package func extendTimeout(by duration: Duration) {
        let (seconds, attoseconds) = duration.components
        guard duration > .zero, seconds < Int64.max / 2_000_000 else { return }
        send("EXTEND_TIMEOUT_USEC=\(seconds * 1_000_000 + attoseconds / 1_000_000_000_000)")
    }

    /// The parts that do the work are alive. Only ``Watchdog`` says so.
    func petWatchdog() {
        send("WATCHDOG=1")
    }

    /// One line, bounded, whatever the words are made of: a line break would begin another message. White space becomes
    /// spaces rather than escapes, since the manager takes backslashes for escapes of its own.
    private static func statusLine(_ text: String) -> String {
        let words = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        return "STATUS=\(SafeText(words, toBytes: SafeText.remarkLimit))"
    }

    private func send(_ message: String) {
        guard let address else { return }
        do {
            try Self.deliver(message, to: address)
        } catch {
            logger.warning("service manager could not be told", metadata: ["error.message": "\(error)"])
        }
    }

    private static func deliver(_ message: String, to address: NotifyAddress) throws(HostFailure) {
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw HostFailure.system("socket") }
        defer { close(descriptor) }
        // The manager's queue may be full; half a second is enough for a live one, and a dead one must not hold us.
        var patience = timeval(tv_sec: 0, tv_usec: 500_000)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        let bytes = Array(message.utf8)
        let sent = address.withSocketAddress { pointer, length in
            sendto(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL), pointer, length)
        }
        guard sent == bytes.count else { throw HostFailure.system("sendto NOTIFY_SOCKET") }
    }
}

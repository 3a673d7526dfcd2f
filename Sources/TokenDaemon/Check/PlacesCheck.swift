// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Glibc
import SocketServer

/// What `check` says of the places on this host: the socket's, and the folder for what must survive.
struct PlacesCheck: Sendable {
    /// How long a daemon may take to say that it is alive.
    private static let patience: Int32 = 2_000

    /// With O_DIRECTORY the O_TMPFILE of open(2), which glibc shows for _GNU_SOURCE alone.
    private static let unnamed: Int32 = 0o20_000_000

    private let socket: String
    private let folder: String

    /// Looks at the places that the configuration names.
    init(_ configuration: Configuration) {
        socket = configuration.socket.path
        folder = configuration.journal.path
    }

    /// Looks; a file system that hangs is not waited for.
    func verdicts() async -> [Verdict] {
        let look = BlockingCall(name: "places")
        let (socket, folder) = (socket, folder)
        let site = await look.run(within: .seconds(5)) {
            SocketSite.look(at: socket, forMilliseconds: Self.patience)
        }
        let obstacle = await look.run(within: .seconds(5)) { Self.obstacle(in: folder) }
        let fault = await look.run(within: .seconds(5)) { LocalKeyFile(in: folder).fault }
        return [Self.verdict(on: site, at: socket), Self.verdict(obstacle, folder)] + Self.verdicts(on: fault ?? nil)
    }

    /// A key with which the daemon would not start; one that is in order, or is yet to be made, is no news.
    private static func verdicts(on fault: LocalKeyFault?) -> [Verdict] {
        fault.map { [Verdict(.fail, "state", $0.description, remedy: $0.remedy)] } ?? []
    }

    /// Why nothing can be kept in a folder, as is found out by writing a page to a file that has no name and goes at once; a
    /// full disk shows in no other way. Nil if it can be written, or by all that its rights say where there are no such files.
    static func obstacle(in folder: String) -> String? {
        let file = open(folder, O_RDWR | O_CLOEXEC | O_DIRECTORY | unnamed, 0o600)
        if file < 0, errno == EOPNOTSUPP || errno == EISDIR {
            return faccessat(AT_FDCWD, folder, R_OK | W_OK | X_OK, AT_EACCESS) == 0 ? nil : reason(errno)
        }
        guard file >= 0 else { return reason(errno) }
        defer { close(file) }
        let page = [UInt8](repeating: 0, count: 4096)
        return pwrite(file, page, page.count, 0) == page.count && fsync(file) == 0 ? nil : reason(errno)
    }

    static func verdict(on site: SocketSite?, at path: String) -> Verdict {
        let subject = "socket"
        switch site {
        case .free: return Verdict(.ok, subject, "\(path) can be made")
        case .stale: return Verdict(.ok, subject, "\(path) was left behind; the next start removes it")
        case .daemon: return Verdict(.ok, subject, "\(path): a daemon is running there")
        case .full:
            let remedy = "look who holds its connections: ss -xp"
            return Verdict(
                .warn,
                subject,
                "\(path): a daemon is running there, and takes no more connections",
                remedy: remedy
            )
        case .closed:
            return Verdict(.warn, subject, "\(path): somebody listens there whom user \(geteuid()) may not ask")
        case .stranger:
            let remedy = "stop what listens there, or choose another socket.path"
            return Verdict(
                .fail,
                subject,
                "\(path): something listens there that does not answer as a daemon",
                remedy: remedy
            )
        case .notASocket:
            return Verdict(.fail, subject, "\(path) is no socket", remedy: "remove it, or choose another socket.path")
        case .noFolder where path.hasPrefix("/run/"):
            let remedy = "the unit makes it at its start (RuntimeDirectory=); without systemd, make it"
            return Verdict(.warn, subject, "there is no folder for \(path)", remedy: remedy)
        case .noFolder:
            return Verdict(
                .fail,
                subject,
                "there is no folder for \(path)",
                remedy: "make it, or choose another socket.path"
            )
        case .notWritable:
            let remedy = "run check as the daemon's user, or give that user the folder"
            return Verdict(.fail, subject, "user \(geteuid()) may not make \(path)", remedy: remedy)
        case nil: return Verdict(.fail, subject, "\(path) could not be looked at within 5 s")
        }
    }

    private static func reason(_ code: Int32) -> String { String(cString: strerror(code)) }

    /// The outer nil is a look that did not come to its end.
    private static func verdict(_ obstacle: String??, _ folder: String) -> Verdict {
        let reason: String
        switch obstacle {
        case .some(nil): return Verdict(.ok, "state", "\(folder) can be written")
        case .some(let found?): reason = found
        case nil: reason = "it did not answer within 5 s"
        }
        return Verdict(
            .warn,
            "state",
            "user \(geteuid()) cannot write \(folder) (\(reason)), so claims must run out after a crash",
            remedy: "the unit makes it (StateDirectory=); else make it, make room there, or set journal.path"
        )
    }
}

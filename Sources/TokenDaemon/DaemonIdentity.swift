// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Glibc

/// Who this daemon is among those on one database: an id in its state folder, held by one process at a time. With it, a
/// daemon that was killed takes its own claims up again at once.
///
/// Where the folder has none to give (it cannot be written, or another process holds its id), the process has an id of its
/// own that passes with it; the claims of the one before then run out by themselves.
struct DaemonIdentity: Sendable {
    /// The name of the file.
    static let fileName = "daemon-id"
    private static let digits = 32

    /// The id.
    let id: String
    /// Why it passes with the process; nil if it lasts.
    let reasonItPasses: String?

    /// Takes the folder's id, or makes it; the lock on it lasts as long as the process.
    ///
    /// - Parameters:
    ///   - folder: the state folder.
    ///   - random: makes a new id's digits.
    init(in folder: String, random: () -> UInt64 = { UInt64.random(in: .min ... .max) }) {
        self = Self.taken(from: folder, random)
    }

    private static func taken(from folder: String, _ random: () -> UInt64) -> DaemonIdentity {
        let fresh = (0..<2).map { _ in hexadecimal(random()) }.joined()
        let path = "\(folder)/\(fileName)"
        let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { return DaemonIdentity(passing: fresh, "\(path): \(lastError)") }
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            let reason = errno == EWOULDBLOCK ? "another process holds it" : lastError
            close(file)
            return DaemonIdentity(passing: fresh, "\(path): \(reason)")
        }
        // From here on the descriptor stays open: the lock goes with it.
        if let known = read(file) { return DaemonIdentity(id: known, reasonItPasses: nil) }
        if write(fresh, to: file) { return DaemonIdentity(id: fresh, reasonItPasses: nil) }
        return DaemonIdentity(passing: fresh, "\(path): \(lastError)")
    }

    private init(id: String, reasonItPasses: String?) {
        self.id = id
        self.reasonItPasses = reasonItPasses
    }

    private init(passing id: String, _ reason: String) {
        self.init(id: id, reasonItPasses: reason)
    }

    /// The id in the file; nil if there is none, or what stands there is none.
    private static func read(_ file: Int32) -> String? {
        var bytes = [UInt8](repeating: 0, count: digits + 2)
        let count = pread(file, &bytes, bytes.count, 0)
        guard count == digits + 1, bytes[digits] == UInt8(ascii: "\n") else { return nil }
        let text = String(decoding: bytes[..<digits], as: UTF8.self)
        return text.allSatisfy { $0.isASCII && $0.isHexDigit } ? text : nil
    }

    private static func write(_ id: String, to file: Int32) -> Bool {
        let line = Array("\(id)\n".utf8)
        return ftruncate(file, 0) == 0 && pwrite(file, line, line.count, 0) == line.count && fsync(file) == 0
    }

    private static func hexadecimal(_ number: UInt64) -> String {
        let text = String(number, radix: 16)
        return String(repeating: "0", count: digits / 2 - text.count) + text
    }

    private static var lastError: String { String(cString: strerror(errno)) }
}

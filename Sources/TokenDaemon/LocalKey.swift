// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCipher

/// The key of this daemon's own, which seals what it keeps in files of this host and nothing else: the database never sees
/// what it sealed, and no other daemon needs it.
///
/// Where the state folder cannot keep one, the process has a key that passes with it, like its id (``DaemonIdentity``).
struct LocalKey: Sendable {
    private let bytes: LockedBytes
    /// Why it passes with the process; nil if it lasts.
    let reasonItPasses: String?

    /// Takes the folder's key, or makes it.
    ///
    /// - Parameters:
    ///   - folder: the state folder.
    ///   - random: makes a new key's bytes.
    /// - Throws: that there is a key which must not be used, or cannot be; the daemon does not put another in its place, since
    ///   what it sealed would be lost.
    init(in folder: String, random: () -> UInt64 = { UInt64.random(in: .min ... .max) }) throws(DaemonFailure) {
        let file = LocalKeyFile(in: folder)
        do throws(LocalKeyFault) {
            self = try Self.key(of: file, random)
        } catch {
            throw .configuration("\(error): \(error.remedy)")
        }
    }

    private init(_ bytes: LockedBytes, _ reasonItPasses: String?) {
        self.bytes = bytes
        self.reasonItPasses = reasonItPasses
    }

    private static func key(of file: LocalKeyFile, _ random: () -> UInt64) throws(LocalKeyFault) -> LocalKey {
        if let known = try file.read() { return LocalKey(known, nil) }
        let fresh = LockedBytes(count: LocalKeyFile.length) { room in
            for index in room.indices { room[index] = UInt8(truncatingIfNeeded: random()) }
        }
        if let reason = file.make(fresh, draftNumber: random()) {
            return LocalKey(fresh, "\(reason): see to that and restart the daemon, since a key is made at a start only")
        }
        // Another process may have made one in the same moment, which counts for both.
        return LocalKey(try file.read() ?? fresh, nil)
    }

    /// What seals for one purpose.
    func seal(for purpose: String) -> LocalSeal { LocalSeal(bytes, purpose: purpose) }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation

/// The files that names are looked up by, for one program alone: in a mount namespace of its own they lie over those of
/// the machine. They can be changed while it runs.
struct NameService: Sendable {
    /// Whether this process may make such a namespace.
    static let isAvailable: Bool = {
        let trial = Process()
        trial.executableURL = URL(fileURLWithPath: "/usr/bin/unshare")
        trial.arguments = ["--mount", "/bin/true"]
        trial.standardError = FileHandle.nullDevice
        guard (try? trial.run()) != nil else { return false }
        trial.waitUntilExit()
        return trial.terminationStatus == 0
    }()

    private let folder: String

    /// Makes the files in a folder. All addresses of `localhost` are those given; where none are, the name server is asked.
    init(in folder: String, localhost addresses: [String], nameServer: String = "127.0.0.1") throws {
        self.folder = folder
        try write("nameserver \(nameServer)\n", to: "resolv.conf")
        try write("hosts: files dns\n", to: "nsswitch.conf")
        try write("multi on\n", to: "host.conf")
        try setLocalhost(addresses)
    }

    /// Gives `localhost` other addresses.
    func setLocalhost(_ addresses: [String]) throws {
        try write(addresses.map { "\($0) localhost\n" }.joined(), to: "hosts")
    }

    /// What stands before a program's path to have it run so.
    var command: [String] {
        let files = ["hosts", "resolv.conf", "nsswitch.conf", "host.conf"]
        let mounts = files.map { "mount --bind '\(folder)/\($0)' /etc/\($0)" }.joined(separator: " && ")
        return [
            "/usr/bin/unshare", "--mount", "--propagation", "private", "/bin/sh", "-c",
            "PATH=/usr/bin:/bin:/usr/sbin:/sbin; \(mounts) && exec \"$0\" \"$@\"",
        ]
    }

    /// In place, since what is mounted is the file and not its name.
    private func write(_ text: String, to name: String) throws {
        let path = "\(folder)/\(name)"
        if !FileManager.default.fileExists(atPath: path) { try Data().write(to: URL(fileURLWithPath: path)) }
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        try file.truncate(atOffset: 0)
        try file.write(contentsOf: Data(text.utf8))
        try file.close()
    }
}

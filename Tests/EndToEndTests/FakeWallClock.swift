// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import TestSupport

/// The wall clock of one program alone, which can be set while the program runs; libfaketime shows it in the place of the
/// machine's. All other clocks are the machine's own.
struct FakeWallClock: Sendable {
    /// libfaketime takes every timer's deadline for one of the wall clock. Timers of other clocks are kept from it.
    private static let timers = """
        #include <dlfcn.h>
        #include <sys/syscall.h>
        #include <sys/timerfd.h>
        #include <unistd.h>
        static clockid_t clocks[4096];
        int timerfd_create(clockid_t clock, int flags) {
            int made = syscall(SYS_timerfd_create, clock, flags);
            if (made >= 0 && made < 4096) clocks[made] = clock;
            return made;
        }
        typedef int set(int, int, const struct itimerspec *, struct itimerspec *);
        int timerfd_settime(int timer, int flags, const struct itimerspec *value, struct itimerspec *old) {
            if (timer >= 0 && timer < 4096 && clocks[timer] != CLOCK_REALTIME)
                return syscall(SYS_timerfd_settime, timer, flags, value, old);
            return ((set *)dlsym(RTLD_NEXT, "timerfd_settime"))(timer, flags, value, old);
        }

        """

    private let libraries: [String]
    private let file: String

    /// Makes one that is right, with its setting in a folder.
    init(in folder: String) async throws {
        let found = (try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib")) ?? []
        let library = found.map { "/usr/lib/\($0)/faketime/libfaketimeMT.so.1" }.first {
            FileManager.default.fileExists(atPath: $0)
        }
        guard let library else {
            throw Overdue(description: "there is no libfaketime: apt-get install libfaketime")
        }
        let (source, timers) = ("\(folder)/timers.c", "\(folder)/timers.so")
        try Self.timers.write(toFile: source, atomically: true, encoding: .utf8)
        let compiled = try await Program.run([
            "clang", "-D_GNU_SOURCE", "-shared", "-fPIC", "-o", timers, source, "-ldl",
        ])
        guard compiled.status == 0 else { throw Overdue(description: "clang: \(compiled.errors)") }
        (libraries, file) = ([timers, library], "\(folder)/faketime")
        try set(to: 0)
    }

    /// What a program has around it to see this clock.
    var environment: [String: String] {
        [
            "LD_PRELOAD": libraries.joined(separator: ":"), "FAKETIME_TIMESTAMP_FILE": file, "FAKETIME_NO_CACHE": "1",
            // The boot clock is not for anybody to set.
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        ]
    }

    /// Sets it, so many seconds from what is right.
    func set(to offset: Double) throws {
        let text = String(format: "%+.3f", offset)
        // Another file takes the place of the old one, so that nobody reads half of it.
        try text.write(toFile: file, atomically: true, encoding: .utf8)
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import TestSupport

/// Stands in for a fault of the daemon's own that one row brings about: a program that has this around it is ended by a trap when it
/// takes a value out of the database that holds a certain text.
struct TrappingValue: Sendable {
    private static let source = """
        #include <dlfcn.h>
        #include <stdlib.h>
        #include <string.h>
        typedef char *get(const void *, int, int);
        char *PQgetvalue(const void *result, int row, int column) {
            char *value = ((get *)dlsym(RTLD_NEXT, "PQgetvalue"))(result, row, column);
            char *text = getenv("TRAPPING_VALUE");
            if (value && text && strstr(value, text)) __builtin_trap();
            return value;
        }

        """

    private let library: String
    private let text: String

    /// Makes one for that text, in a folder.
    init(_ text: String, in folder: String) async throws {
        let source = "\(folder)/trap.c"
        (library, self.text) = ("\(folder)/trap.so", text)
        try Self.source.write(toFile: source, atomically: true, encoding: .utf8)
        let compiled = try await Program.run([
            "clang", "-D_GNU_SOURCE", "-shared", "-fPIC", "-o", library, source, "-ldl",
        ])
        guard compiled.status == 0 else { throw Overdue(description: "clang: \(compiled.errors)") }
    }

    /// What a program has around it to be ended so.
    var environment: [String: String] { ["LD_PRELOAD": library, "TRAPPING_VALUE": text] }
}

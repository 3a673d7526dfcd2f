// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenSimulator

/// A fault of the command line.
struct ScopedFault: Sendable {
    /// Whom it strikes.
    let scope: FaultScope
    /// What it does.
    let fault: Fault
}

/// What `--help` says of faults.
enum FaultHelp {
    /// Each mode's name with a few words, and where there is more to read.
    static var text: String {
        let width = FaultName.allCases.map(\.rawValue.count).max() ?? 0
        let lines = FaultName.allCases.map { mode in
            let padding = String(repeating: " ", count: width - mode.rawValue.count)
            return "  \(mode.rawValue)\(padding)  \(mode.summary)"
        }
        return """
            Faults are set by --fault, or while it runs by POST /_sim/faults: for all accounts or for one ("user"), for so many \
            requests ("count") or for a time ("for_ms"). Their modes:

            \(lines.joined(separator: "\n"))

            Each is described with an example in docs/simulator.md.
            """
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// Who asks on a connection, as far as that decides what he is answered.
enum Asker: Sendable {
    /// A program of this host, by the kernel's word.
    case caller(Caller)
    /// Nobody knows who, since TCP does not say: whoever reaches the loopback address that goes by these names. There is
    /// nothing for him but what is said of no single user.
    case anybody(calling: Set<String>)
}

extension Target {
    /// Takes a target apart as it concerns that asker: for one whom nobody knows there is one path, and everything else
    /// is as if it did not exist, also in what is counted.
    init(_ target: String, from asker: Asker) {
        let whole = Target(target)
        switch asker {
        case .caller: self = whole
        // The absolute form names another host than the Host field might, and no scraper sends it.
        case .anybody where whole.resource == .metrics && target.hasPrefix("/"): self = whole
        case .anybody: self.init(resource: .unknown, query: "")
        }
    }
}

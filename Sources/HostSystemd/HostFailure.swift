// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Glibc

/// What the service manager handed us is not usable, or a message could not be delivered; one line, safe to show.
package struct HostFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// What happened, in words.
    package let description: String

    /// Takes the words.
    package init(_ description: String) {
        self.description = description
    }

    /// Says which call failed and why, from `errno`. To be made at once after the call.
    static func system(_ what: String, errno code: Int32 = errno) -> HostFailure {
        HostFailure("\(what): \(String(cString: strerror(code)))")
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import NIOSSL

/// A file of authorities to trust instead of the system's (`tastytrade.caFile`).
package enum AuthorityFile {
    /// Whether the bytes are PEM certificates that TLS can use; one at least.
    package static func canBeUsed(_ bytes: [UInt8]) -> Bool {
        (try? NIOSSLCertificate.fromPEMBytes(bytes).isEmpty) == false
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenCore

/// How long a stored value may be.
enum SealedLength {
    /// Twice the longest secret: base64 makes four thirds of it, and header or members come to that. In bytes.
    static let limit = 2 * SealingFailure.secretLimit
}

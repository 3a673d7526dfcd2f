// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Logging
import TokenCore

extension Duration {
    /// Milliseconds, as log records have them.
    var logMilliseconds: Logger.MetadataValue { .stringConvertible(nanoseconds / 1_000_000) }
}

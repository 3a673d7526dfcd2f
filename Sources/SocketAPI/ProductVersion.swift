// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// The product's version, as `--version` and `User-Agent` tell it (https://semver.org).
package enum ProductVersion {
    /// The version that this source builds.
    package static let current = "0.1.0"
}

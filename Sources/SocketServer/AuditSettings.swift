// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// How much is recorded of who took whose token.
package struct AuditSettings: Hashable, Sendable {
    /// Whether anything is.
    package let isOn: Bool
    /// Of how many tokens one is chosen. Of a token that is chosen every hand-out is recorded, whoever took it, and of
    /// another one none.
    package let sample: Int

    /// Everything, unless said otherwise; a sample of less than one counts as one.
    package init(isOn: Bool = true, sample: Int = 1) {
        self.isOn = isOn
        self.sample = max(sample, 1)
    }

    /// Whether hand-outs of the token with that mark are recorded. The mark is stirred, so that its characters' habits do
    /// not decide (multiplicative hashing by the golden ratio).
    func chooses(_ mark: UInt64) -> Bool {
        guard isOn else { return false }
        return sample == 1 || ((mark &* 0x9E37_79B9_7F4A_7C15) >> 32) % UInt64(sample) == 0
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Synchronization

/// Draws random numbers for jitter: none is a secret, and asking the system for each cost a twentieth of a start with a million
/// accounts. SplitMix64 (Steele, Lea and Flood 2014) from a seed that the system gave.
struct SystemDraw: Sendable {
    private final class Counter: Sendable {
        let state = Atomic<UInt64>(UInt64.random(in: .min ... .max))
    }

    private let counter = Counter()

    /// Gives a number from 0 to 1, other ones to each who asks, on any thread.
    var reading: @Sendable () -> Double {
        { [counter] in
            var mixed = counter.state.wrappingAdd(0x9E37_79B9_7F4A_7C15, ordering: .relaxed).newValue
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            mixed ^= mixed >> 31
            // A Double holds 53 bits exactly.
            return Double(mixed >> 11) / Double((UInt64(1) << 53) - 1)
        }
    }
}

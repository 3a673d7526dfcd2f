// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import TokenCore

/// This host's clock beside the endpoint's.
package enum ClockSkew {
    /// What is not worth a word: `Date` is written in whole seconds, and a reply takes its time.
    package static let tolerance: Duration = .seconds(30)

    /// What there is to say of the two clocks.
    ///
    /// - Parameters:
    ///   - endpoint: what the endpoint's `Date` header says.
    ///   - host: this host's time when the reply came.
    /// - Returns: a finding, if the two are ``tolerance`` or more apart.
    package static func finding(endpoint: WallTime, host: WallTime) -> Finding? {
        let ahead = host - endpoint
        guard ahead >= tolerance || ahead <= .zero - tolerance else { return nil }
        return Finding(
            .clockSkew,
            "This host's clock is \(SpanOfTime(ahead)) \(ahead > .zero ? "ahead of" : "behind") TastyTrade's. "
                + "Times that are stored here, such as a token's end, are wrong by as much for other hosts.",
            remedy: "Let the host keep its time by NTP: timedatectl says whether it does. "
                + "A proxy with a wrong clock can be the cause as well."
        )
    }
}

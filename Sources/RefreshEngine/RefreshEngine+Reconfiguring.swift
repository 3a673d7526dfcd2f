// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import TokenCore

extension RefreshEngine {
    /// What of the settings can change while the engine is at work.
    package struct LiveSettings: Sendable {
        /// When to refresh, and how to back off; holds from each account's next step on.
        package var policy: RefreshPolicy
        /// Refresh calls under way at once, at most. Those beyond it that are under way end as they would have.
        package var maxInFlight: Int
        /// Refresh calls begun in a second, at most.
        package var maxPerSecond: Double
        /// The secret of the configuration's OAuth client, for the next call.
        package var clientSecret: Secret

        /// Puts the settings together.
        package init(policy: RefreshPolicy, maxInFlight: Int, maxPerSecond: Double, clientSecret: Secret) {
            self.policy = policy
            self.maxInFlight = maxInFlight
            self.maxPerSecond = maxPerSecond
            self.clientSecret = clientSecret
        }
    }

    /// Goes on with other settings.
    package func reconfigure(_ settings: LiveSettings) {
        let now = clock()
        lanes.forEach { $0.reconfigure(settings, from: configuration, at: now) }
        configuration.policy = settings.policy
        configuration.maxInFlight = settings.maxInFlight
        configuration.maxPerSecond = settings.maxPerSecond
        let client = lanes[.ofDefault].client
        if client.clientSecret != settings.clientSecret { kickBreaker(of: .ofDefault, at: now) }
        lanes[.ofDefault].client = client.with(settings.clientSecret)
        if isReady { watchCapacity() }
        advance()
    }
}

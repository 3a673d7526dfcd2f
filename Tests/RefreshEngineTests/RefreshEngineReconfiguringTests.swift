// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import RefreshEngine
import TestSupport
import Testing
import TokenCore

@Suite(.timeLimit(.minutes(1))) struct RefreshEngineReconfiguringTests {
    private static let users = (1...40).map { UserID("\($0)") }

    private func settings(
        maxInFlight: Int = 64,
        maxPerSecond: Double = 20,
        at share: Double = 0.6,
        secret: String = "s"
    ) -> RefreshEngine.LiveSettings {
        RefreshEngine.LiveSettings(
            policy: RefreshPolicy(at: share),
            maxInFlight: maxInFlight,
            maxPerSecond: maxPerSecond,
            clientSecret: Secret(secret)
        )
    }

    private func fixture(_ configuration: EngineConfiguration) -> EngineFixture {
        let rows = Self.users.map { ($0, RecordingStore.Row(refreshToken: "r-\($0)")) }
        return EngineFixture(Dictionary(uniqueKeysWithValues: rows), configuration)
    }

    @Test func aHigherRateHoldsAtOnceAndALowerOneToo() async {
        let fixture = fixture(EngineConfiguration(maxPerSecond: 1))
        await fixture.start()
        await fixture.settled { fixture.endpoint.unseen == 1 }
        await fixture.engine.reconfigure(settings(maxPerSecond: 100))
        await fixture.advance(by: .milliseconds(50))
        await fixture.turn()
        let after = fixture.endpoint.unseen
        #expect(after > 2)
        await fixture.engine.reconfigure(settings(maxPerSecond: 0.1))
        await fixture.advance(by: .seconds(1))
        await fixture.turn()
        #expect(fixture.endpoint.unseen <= after + 1)
    }

    @Test func moreCallsAtATimeBeginAtOnce() async {
        let fixture = fixture(EngineConfiguration(maxInFlight: 2, maxPerSecond: 100_000))
        await fixture.start()
        await fixture.settled { fixture.endpoint.unseen == 2 }
        await fixture.turn()
        #expect(fixture.endpoint.unseen == 2)
        await fixture.engine.reconfigure(settings(maxInFlight: 5, maxPerSecond: 100_000))
        await fixture.settled { fixture.endpoint.unseen == 5 }
        await fixture.turn()
        #expect(fixture.endpoint.unseen == 5)
    }

    @Test func theNextCallCarriesTheNewSecret() async {
        let fixture = fixture(EngineConfiguration(maxInFlight: 1))
        await fixture.start()
        await fixture.settled { fixture.endpoint.unseen == 1 }
        await fixture.engine.reconfigure(settings(maxInFlight: 2, maxPerSecond: 1000, secret: "new"))
        await fixture.advance(by: .seconds(1))
        await fixture.settled { fixture.endpoint.unseen == 2 }
        let calls = [await fixture.endpoint.nextCall(), await fixture.endpoint.nextCall()]
        #expect(calls.map(\.client.clientSecret) == [Secret("s"), Secret("new")])
        #expect(calls.last?.client.apiURL == EngineFixture.client.apiURL)
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TestSupport
import Testing
import TokenCore

/// The table of the contract for `GET token`, row by row.
@Suite struct HandOutTests {
    private let now = Moment.newYear

    private func entry(
        _ secondsLeft: Int?,
        lives lifetime: Int = 900,
        _ prospect: RefreshProspect = .possible
    ) -> BoardEntry {
        let token = secondsLeft.map { left in
            [].withUnsafeBufferPointer { text in
                PublishedToken(
                    life: TokenLife(expiresAt: now + .seconds(left), lifetime: .seconds(lifetime)),
                    etag: Array("\"tag\"".utf8),
                    text: text,
                    frame: ReplyFrame(afterToken: [], afterSeconds: [])
                )
            }
        }
        return BoardEntry(token: token, prospect: prospect, version: 1)
    }

    private func decide(
        _ entry: BoardEntry,
        _ demand: TokenDemand = TokenDemand(),
        mayWait: Bool = true,
        mayWaitForNext: Bool = false
    ) -> String {
        switch HandOut.decide(entry, demand, mayWait: mayWait, mayWaitForNext: mayWaitForNext, now: now) {
        case .serve(_, let degraded): "200 \(degraded?.rawValue ?? "")".trimmed
        case .notModified: "304"
        case .wait(let starts): starts ? "start and wait" : "wait"
        case .unavailable(let code, let retryAfter):
            "\(code.rawValue) \(retryAfter.map { "\($0.wholeSecondsUp)" } ?? "")".trimmed
        }
    }

    private var prospects: [(RefreshProspect, String)] {
        [
            (.possible, "refresh_timeout"), (.underWay, "refresh_timeout"),
            (.backingOff(until: now + .milliseconds(4200)), "token_unavailable"),
            (.refused, "reauthorization_required"),
            (.unknownOutcome, "unknown_outcome"), (.unreadable, "unreadable_grant"), (.noGrant, "no_grant"),
        ]
    }

    @Test func aTokenThatLivesLongEnoughIsServedInWhateverStatus() {
        for (prospect, _) in prospects { #expect(decide(entry(61, prospect)) == "200") }
    }

    @Test func aShorterOneIsServedDegradedWhenNothingBetterCanBeHad() {
        for (prospect, code) in prospects { #expect(decide(entry(59, prospect), mayWait: false) == "200 \(code)") }
    }

    @Test func aShorterOneIsReplacedWhenThereIsTime() {
        #expect(decide(entry(59)) == "start and wait")
        #expect(decide(entry(59, .underWay)) == "wait")
        #expect(decide(entry(59, .backingOff(until: now + .seconds(4)))) == "200 token_unavailable")
    }

    @Test func aDeadTokenIsNeverServed() {
        for left in [0, -1] as [Int?] + [nil] {
            #expect(decide(entry(left)) == "start and wait")
            #expect(decide(entry(left), mayWait: false) == "refresh_timeout")
            #expect(decide(entry(left, .underWay), mayWait: false) == "refresh_timeout")
            #expect(decide(entry(left, .backingOff(until: now + .milliseconds(4200)))) == "token_unavailable 5")
            for (prospect, code) in prospects.dropFirst(3) { #expect(decide(entry(left, prospect)) == code) }
        }
    }

    @Test(
        arguments: [(nil, 900, 60), (nil, 60, 30), (nil, 2, 1), (0, 900, 0), (300, 900, 300), (5000, 900, 450)]
            as [(Int?, Int, Int)]
    )
    func minTTLIsAtMostHalfALife(_ asked: Int?, _ lifetime: Int, _ seconds: Int) {
        let demand = TokenDemand(minimumLife: asked.map { .seconds($0) })
        #expect(decide(entry(max(seconds, 1), lives: lifetime), demand) == "200")
        if seconds > 0 { #expect(decide(entry(seconds - 1, lives: lifetime), demand) == "start and wait") }
    }

    @Test func aCallerWhoHasTheTokenIsToldSo() {
        let known = TokenDemand(known: .init(etag: "\"tag\"", waitsForNext: false))
        let other = TokenDemand(known: .init(etag: "\"other\"", waitsForNext: false))
        #expect(decide(entry(600), known) == "304")
        #expect(decide(entry(600), other) == "200")
        #expect(decide(entry(600), TokenDemand(known: .init(etag: "*", waitsForNext: false))) == "304")
        #expect(decide(entry(10), known) == "start and wait", "min_ttl is met first")
    }

    @Test func aCallerWhoWantsTheNextTokenWaitsForIt() {
        let next = TokenDemand(known: .init(etag: "\"tag\"", waitsForNext: true))
        #expect(decide(entry(600), next, mayWaitForNext: true) == "wait")
        #expect(decide(entry(600), next, mayWaitForNext: false) == "304")
    }
}

extension String {
    fileprivate var trimmed: String { hasSuffix(" ") ? String(dropLast()) : self }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import GrantStore
import TestSupport
import Testing
import TokenCipher
import TokenCore

@testable import TokenDaemon

/// Whether a key can go. A key that is in use is never said to be removable.
@Suite struct KeyStandingTests {
    private let new = "key-2"
    private let old = "key-1"

    private func sealing() throws -> any ColumnSealing {
        let members = [new, old].map {
            #"{"kty":"oct","kid":"\#($0)","k":"\#(String(repeating: String($0.suffix(1)), count: 42))A"}"#
        }
        return JWEColumns(try JWEKeySet(Array(#"{"keys":[\#(members.joined(separator: ","))]}"#.utf8)))
    }

    private func daemon(_ key: String, host: String = "alpha") -> Sealer {
        Sealer(owner: "0123456789abcdef", keyID: key, host: host, seenAgo: .seconds(1))
    }

    private func standings(_ census: SealCensus?, _ sealers: Set<Sealer> = []) throws -> [String] {
        try KeyStanding.all(of: sealing(), census, sealers: sealers).map(\.description)
    }

    @Test func onlyAKeyThatNothingAndNobodyUsesCanGo() throws {
        let unused = SealCensus(rows: 3, sealed: [SealingKey(id: new, sealsNow: true): 6])
        #expect(
            try standings(unused, [daemon(new)]) == [
                "key key-2: 6 values; seals what is written", "key key-1: not in use; it can be removed",
            ]
        )
        let used = SealCensus(rows: 1, sealed: [SealingKey(id: old, sealsNow: false): 1])
        #expect(try standings(used)[1] == "key key-1: 1 value; in use")
        #expect(
            try standings(unused, [daemon(old), daemon(new, host: "beta")])[1]
                == "key key-1: in use, daemon 01234567 on alpha seals by it: reload it"
        )
    }

    @Test func whatCouldNotBeSeenMayNeedIt() throws {
        let damaged = SealCensus(rows: 1, closed: 2, reason: "damaged")
        #expect(
            try standings(damaged)[1]
                == "key key-1: no value seen; keep it: 2 values could not be opened, and may need it"
        )
        #expect(try standings(nil)[1] == "key key-1: no value seen; keep it: not all rows were counted")
    }

    @Test func theKeyThatSealsStaysEvenWhereNothingIsSealed() throws {
        let keys = try KeyStanding.all(of: sealing(), SealCensus(), sealers: [])
        #expect(keys.map(\.isRemovable) == [false, true])
    }

    @Test func aKeyOfOneNameByAnotherDigestIsCountedWithIt() throws {
        let census = SealCensus(
            rows: 2,
            sealed: [SealingKey(id: new, sealsNow: true): 1, SealingKey(id: new, sealsNow: false): 2]
        )
        #expect(try KeyStanding.all(of: sealing(), census, sealers: []).first?.values == 3)
    }
}

/// What a run says in the end, and with which status.
@Suite struct ResealReportTests {
    private func report(
        _ census: SealCensus = SealCensus(rows: 2, sealed: [SealingKey(id: "k", sealsNow: true): 4]),
        isDryRun: Bool = false,
        tally: ResealTally = ResealTally(),
        inClear: [Sealer] = []
    ) -> ResealReport {
        ResealReport(
            census: census,
            isDryRun: isDryRun,
            wanting: isDryRun ? 2 : 0,
            tally: tally,
            keys: [KeyStanding(id: "k", values: 4, use: .seals), KeyStanding(id: "o", values: 0, use: .none)],
            inClear: inClear,
            isShared: true
        )
    }

    @Test func theStatusTellsWhetherToComeAgainOrToSeeToIt() {
        #expect(report().exitStatus == 0)
        var busy = ResealTally()
        busy.busy = 1
        #expect(report(tally: busy).exitStatus == 75)
        var refused = busy
        refused.refused = [ResealTally.Refusal(user: UserID("7"), reason: "value too long")]
        #expect(report(tally: refused).exitStatus == 65)
        #expect(report(tally: refused).lines.contains("row 7: not written: value too long"))
        #expect(report(SealCensus(rows: 1, closed: 1, reason: "damaged")).exitStatus == 65)
        #expect(report(SealCensus(rows: 1, closed: 1, reason: "damaged"), isDryRun: true).exitStatus == 0)
    }

    @Test func itSaysWhatWasDoneAndWhatWasFound() {
        var tally = ResealTally()
        tally.sealed = 2
        let clear = Sealer(owner: "fedcba9876543210", keyID: "", host: "", seenAgo: .zero)
        #expect(
            report(tally: tally, inClear: [clear]).lines == [
                "2 rows sealed anew", "2 rows: 4 values sealed, 0 in clear, 0 that do not open",
                "key k: 4 values; seals what is written", "key o: not in use; it can be removed",
                "daemon fedcba98 writes in clear: give it encryption.mode and keys, and restart it",
                "the application seals by its own settings: before a key goes there, see that its last primary key is ours",
            ]
        )
        #expect(report(isDryRun: true).lines.first == "dry run: 2 rows would be sealed anew; nothing was changed")
        #expect(
            report(tally: tally).json
                == #"{"dry_run":false,"rows":2,"in_clear":0,"unreadable":0,"wanting":0,"resealed":2,"busy":0,"refused":0,"keys":["#
                + #"{"id":"k","values":4,"seals":true,"removable":false},{"id":"o","values":0,"seals":false,"removable":true}]}"#
        )
    }

    @Test func ofManyRefusalsTheFirstAreNamed() {
        var tally = ResealTally()
        tally.refused = (1...12).map { ResealTally.Refusal(user: UserID("\($0)"), reason: "x") }
        let lines = report(tally: tally).lines
        #expect(lines.filter { $0.hasPrefix("row ") }.count == 10 && lines.contains("and 2 more that were not written"))
    }
}

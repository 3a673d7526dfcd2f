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
        Sealer(owner: "0123456789abcdef", keyID: key, host: host, environment: .sandbox)
    }

    private func standings(
        _ census: SealCensus,
        doubt: String? = nil,
        _ sealers: Set<Sealer> = []
    ) throws -> [String] {
        try KeyStanding.all(of: sealing().configuredKeys, census, doubt: doubt, sealers: sealers).map(\.description)
    }

    @Test func onlyAKeyThatNothingAndNobodyUsesCanGo() throws {
        let unused = SealCensus(rows: 3, sealed: [SealingKey(id: new, sealsNow: true): 6])
        #expect(
            try standings(unused, doubt: nil, [daemon(new)]) == [
                "key key-2: 6 values; seals what is written", "key key-1: 0 values; not in use, it can be removed",
            ]
        )
        let used = SealCensus(rows: 1, sealed: [SealingKey(id: old, sealsNow: false): 1])
        #expect(try standings(used)[1] == "key key-1: 1 value; in use")
        #expect(
            try standings(
                unused,
                doubt: nil,
                [daemon(old), Sealer(owner: "f", keyID: new, host: "beta", environment: .sandbox)]
            )[1]
                == "key key-1: 0 values; in use, daemon 01234567 on alpha seals by it: reload it"
        )
    }

    @Test func whatCouldNotBeSeenMayNeedIt() throws {
        let damaged = SealCensus(rows: 1, closed: 2, reason: "damaged")
        #expect(
            try standings(damaged)[1]
                == "key key-1: 0 values; keep it: 2 values could not be opened, and may need it"
        )
        #expect(try standings(SealCensus(), doubt: "it is a view")[1] == "key key-1: 0 values; keep it: it is a view")
    }

    @Test func theKeyThatSealsStaysEvenWhereNothingIsSealed() throws {
        let keys = try KeyStanding.all(of: sealing().configuredKeys, SealCensus(), doubt: nil, sealers: [])
        #expect(keys.map(\.isRemovable) == [false, true])
    }

    @Test func aPasswordOfRailsIsJudgedByBothOfItsKeys() throws {
        let settings = RailsSettings(
            primaryKeys: [Secret("old"), Secret("new")],
            deterministicKey: Secret("deterministic"),
            keyDerivationSalt: Secret("salt"),
            hashDigest: .sha256
        )
        let keys = RailsColumns(try RailsKeys(settings)).configuredKeys
        #expect(keys.map(\.name) == ["primaryKeys 2 of 2", "primaryKeys 1 of 2", "deterministicKey"])
        #expect(keys.map(\.seals) == [true, false, true] && keys.allSatisfy { $0.ids.count == 2 })
        let unused = KeyStanding.all(of: keys, SealCensus(), doubt: nil, sealers: [])
        #expect(unused.map(\.isRemovable) == [false, true, false], "what seals stays, by whichever digest")
        for id in keys[1].ids {
            let census = SealCensus(rows: 1, sealed: [SealingKey(id: id, sealsNow: false): 1])
            #expect(
                KeyStanding.all(of: keys, census, doubt: nil, sealers: []).map(\.isRemovable) == [false, false, false]
            )
        }
    }

    @Test func aDaemonWithoutTheKeyIsInTheWay() throws {
        let (ready, behind) = (daemon(new), Sealer(owner: "beta", keyID: old, host: "b", environment: .sandbox))
        #expect(try ResealObstacle.found(sealing(), in: .sandbox, SealCensus(), [ready]) == nil)
        #expect(try ResealObstacle.found(sealing(), in: .sandbox, SealCensus(), [ready, behind]) == .daemons([behind]))
        #expect(
            try ResealObstacle.found(sealing(), in: .sandbox, SealCensus(), [ready, daemon(old)]) == nil,
            "it changed its key just now"
        )
        let clear = Sealer(owner: "gamma", keyID: "", host: "", environment: nil)
        let lines = try #require(try ResealObstacle.found(sealing(), in: .sandbox, SealCensus(), [clear])).lines
        #expect(lines.first == "daemon gamma writes in clear: give it encryption.mode and keys, and restart it")
    }

    @Test func aDaemonOfAnotherEnvironmentIsInTheWay() throws {
        let obstacle = try ResealObstacle.found(sealing(), in: .production, SealCensus(), [daemon(new)])
        #expect(obstacle == .environment([daemon(new)]))
        #expect(obstacle?.lines.first == "daemon 01234567 on alpha works for tastytrade.env sandbox")
        #expect(obstacle?.lines.last?.contains("TASTYTRADE_ENV") == true)
    }

    @Test func aDaemonThatChangedItsKeyJustNowIsNotToldToReload() throws {
        let unused = SealCensus(rows: 3, sealed: [SealingKey(id: new, sealsNow: true): 6])
        #expect(
            try standings(unused, doubt: nil, [daemon(old), daemon(new)])[1]
                == "key key-1: 0 values; in use, daemon 01234567 on alpha sealed by it less than a minute ago: look again then"
        )
    }

    @Test func aTableThatIsAllOfTheOtherDigestIsTheApplications() throws {
        let settings = RailsSettings(
            primaryKeys: [Secret("key")],
            keyDerivationSalt: Secret("salt"),
            hashDigest: .sha256
        )
        let columns = RailsColumns(try RailsKeys(settings))
        let other = try #require(columns.configuredKeys[0].ids.first { $0 != columns.sealingKeyID })
        let theirs = [SealingKey(id: other, sealsNow: false): 4]
        #expect(ResealObstacle.found(columns, in: .sandbox, SealCensus(rows: 2, sealed: theirs), []) == .digest)
        let some = theirs.merging([SealingKey(id: try #require(columns.sealingKeyID), sealsNow: true): 1]) { $1 }
        #expect(
            ResealObstacle.found(columns, in: .sandbox, SealCensus(rows: 3, sealed: some), []) == nil,
            "it was begun on purpose"
        )
    }
}

/// What a run says in the end, and with which status.
@Suite struct ResealReportTests {
    private func report(
        _ census: SealCensus = SealCensus(rows: 2, sealed: [SealingKey(id: "k", sealsNow: true): 4]),
        isDryRun: Bool = false,
        tally: ResealTally = ResealTally(),
        wanting: Int = 0,
        clients: ClientSeals = ClientSeals(),
        inClear: [Sealer] = []
    ) -> ResealReport {
        ResealReport(
            count: ResealCount(rows: census, wanting: isDryRun ? 2 : wanting, clients: clients),
            isDryRun: isDryRun,
            tally: tally,
            keys: [KeyStanding(name: "k", values: 4, use: .seals), KeyStanding(name: "o", values: 0, use: .none)],
            inClear: inClear,
            isShared: true
        )
    }

    @Test func theStatusTellsWhetherToComeAgainOrToSeeToIt() {
        #expect(report().exitStatus == 0)
        #expect(report(wanting: 1).exitStatus == 75, "whatever the reason")
        #expect(report(wanting: 1).lines[0].hasSuffix("; 1 row in use to the end, or written meanwhile: run it again"))
        var tally = ResealTally()
        tally.note(ResealTally.Refusal(user: UserID("7"), reason: "value too long"))
        #expect(report(tally: tally, wanting: 1).exitStatus == 65)
        #expect(report(tally: tally, wanting: 1).lines.contains("row 7: not written: value too long"))
        #expect(report(SealCensus(rows: 1, closed: 1, reason: "damaged")).exitStatus == 65)
        #expect(report(SealCensus(rows: 1, closed: 1, reason: "damaged"), isDryRun: true).exitStatus == 0)
    }

    @Test func itSaysWhatWasDoneAndWhatWasFound() {
        var tally = ResealTally()
        tally.sealed = 2
        let clear = Sealer(owner: "fedcba9876543210", keyID: "", host: "", environment: nil)
        #expect(
            report(tally: tally, inClear: [clear]).lines == [
                "2 rows sealed anew", "2 rows: 4 values sealed, 0 in clear, 0 that do not open",
                "key k: 4 values; seals what is written", "key o: 0 values; not in use, it can be removed",
                "daemon fedcba98 writes in clear: give it encryption.mode and keys, and restart it",
                "the application seals by its own settings: before a key goes there, see that its last primary key is ours",
            ]
        )
        #expect(report(isDryRun: true).lines.first == "dry run: 2 rows would be sealed anew; nothing was changed")
        #expect(
            report(tally: tally).json
                == #"{"dry_run":false,"rows":2,"in_clear":0,"unreadable":0,"wanting":0,"resealed":2,"refused":0,"clients":0,"clients_unreadable":0,"#
                + #""clients_wanting":0,"clients_resealed":0,"daemons_in_clear":0,"keys":[{"key":"k","values":4,"seals":true,"removable":false,"reason":"seals what is written"},"#
                + #"{"key":"o","values":0,"seals":false,"removable":true,"reason":null}]}"#
        )
    }

    @Test func clientsSecretsAreToldApartAndKeepAKeyAsRowsDo() {
        let sealed = SealCensus(rows: 2, sealed: [SealingKey(id: "k", sealsNow: true): 2])
        var tally = ResealTally()
        (tally.sealed, tally.clients) = (2, 1)
        let done = report(tally: tally, clients: ClientSeals(census: sealed))
        #expect(done.lines[0] == "2 rows and 1 client secret sealed anew")
        #expect(done.lines[2] == "2 OAuth clients: 2 with a secret that is sealed, 0 with one that does not open")
        #expect(done.exitStatus == 0 && done.json.contains(#""clients":2,"clients_unreadable":0,"clients_wanting":0,"#))
        let wanting = ClientSeals(census: sealed, wanting: 2)
        #expect(report(clients: wanting).exitStatus == 75)
        #expect(
            report(isDryRun: true, clients: wanting).lines[0].contains("2 rows and 2 client secrets would be sealed")
        )
        let closed = report(clients: ClientSeals(census: SealCensus(rows: 1, closed: 1, reason: "It is damaged.")))
        #expect(closed.exitStatus == 65)
        #expect(closed.lines[3] == "first of these: It is damaged. Set it again with tastytoken client set.")
    }

    @Test func ofManyRefusalsTheFirstAreNamed() {
        var tally = ResealTally()
        for number in 1...12 { tally.note(ResealTally.Refusal(user: UserID("\(number)"), reason: "x")) }
        let lines = report(tally: tally).lines
        #expect(lines.filter { $0.hasPrefix("row ") }.count == 10 && lines.contains("and 2 more that were not written"))
    }
}

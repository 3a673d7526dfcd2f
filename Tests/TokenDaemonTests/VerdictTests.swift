// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation
import SocketServer
import TestSupport
import Testing
import TokenCore

@testable import GrantStore
@testable import TokenDaemon

@Suite struct VerdictTests {
    @Test func aVerdictIsOneLineWithItsGradeFirst() {
        #expect("\(Verdict(.ok, "socket", "/x can be made"))" == "ok    socket: /x can be made")
        #expect(
            "\(Verdict(.warn, "table", "a\nb\u{1B}[31m", remedy: "do\rthis"))"
                == "warn  table: a\\nb\\u{1b}[31m: do\\rthis"
        )
        #expect(Verdict(.fail, "x", String(repeating: "y", count: 9000)).description.utf8.count < 1200)
    }

    @Test func itIsAnObjectForPrograms() {
        let verdict = Verdict(.fail, "endpoint", "a \"b\"", remedy: nil)
        #expect(verdict.json == #"{"verdict":"fail","subject":"endpoint","text":"a \"b\"","remedy":null}"#)
    }

    @Test(
        arguments: [
            (.free, .ok, "can be listened at"), (.daemon, .ok, "is running there"),
            (.taken, .warn, "is taken by another program"), (.unusable("no such address"), .warn, "no such address"),
            (nil, .warn, "could not be looked at"),
        ] as [(LoopbackSite?, Verdict.Grade, String)]
    )
    func whatStandsAtTheAddressOfTheMetricsHasItsVerdict(
        site: LoopbackSite?,
        grade: Verdict.Grade,
        words: String
    ) throws {
        let address = try #require(LoopbackAddress(host: "::1", port: 9464))
        let verdict = MetricsCheck.verdict(on: site, at: address)
        #expect(verdict.grade == grade && verdict.text.contains(words) && verdict.text.contains("[::1]:9464"))
        #expect(grade == .ok || verdict.remedy != nil || site == nil)
    }

    @Test(
        arguments: [
            (SocketSite.free, Verdict.Grade.ok, "can be made"), (.stale, .ok, "left behind"),
            (.daemon, .ok, "is running there"),
            (.closed, .warn, "may not ask"), (.stranger, .fail, "does not answer as a daemon"),
            (.notASocket, .fail, "is no socket"),
            (.noFolder, .fail, "no folder"), (.notWritable, .fail, "may not make"),
            (nil, .fail, "could not be looked at"),
        ] as [(SocketSite?, Verdict.Grade, String)]
    )
    func whatStandsAtTheSocketsPlaceHasItsVerdict(site: SocketSite?, grade: Verdict.Grade, words: String) {
        let verdict = PlacesCheck.verdict(on: site, at: "/srv/api.sock")
        #expect(verdict.grade == grade && verdict.text.contains(words) && verdict.text.contains("/srv/api.sock"))
        #expect(grade == .ok || grade == .warn || verdict.remedy != nil || site == nil)
    }

    @Test func aMissingRuntimeFolderIsTheUnitsBusiness() {
        let verdict = PlacesCheck.verdict(on: .noFolder, at: "/run/tastytokend/api.sock")
        #expect(verdict.grade == .warn && verdict.remedy?.contains("RuntimeDirectory=") == true)
    }

    @Test func aFolderIsTriedByWritingAndLeftAsItWas() throws {
        let folder = try makeTemporaryFolder(for: "state")
        defer { try? FileManager.default.removeItem(atPath: folder) }
        #expect(PlacesCheck.obstacle(in: folder) == nil)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
        #expect(PlacesCheck.obstacle(in: "\(folder)/none") == "No such file or directory")
    }

    @Test func columnsOfWhichNoneOpensFailAndSomeAreAWarning() {
        var census = SealCensus()
        #expect(DatabaseCheck.verdict(on: census, .none).grade == .ok)
        census.count([.closed("The access token's column was sealed for another row."), .nothing])
        let hopeless = DatabaseCheck.verdict(on: census, .jwe)
        #expect(hopeless.grade == .fail && hopeless.remedy?.hasSuffix("was sealed for another row.") == true)
        census.count([.closed("The access token's column is damaged."), .inClear])
        #expect(DatabaseCheck.verdict(on: census, .jwe).grade == .fail, "a start is refused: no row opens as a whole")
        census = SealCensus()
        census.count([.closed("The access token's column was sealed for another row."), .nothing])
        census.count([.sealed(SealingKey(id: "new", sealsNow: true)), .inClear])
        let some = DatabaseCheck.verdict(on: census, .jwe)
        #expect(some.grade == .warn)
        #expect(
            some.text
                == "jwe; values of 2 rows looked at: 1 in clear; 1 sealed with new, which seals now; 1 that do not open"
        )
    }

    @Test func aDatabaseThatIsAwayAndOneThatIsWrongFailInOtherWords() {
        let away = DatabaseCheck.verdicts(on: StoreFailure(.unavailable, text: "The database cannot be reached: x"))
        #expect(away.map(\.grade) == [.fail] && away[0].remedy?.contains("start it") == true)
        let wrong = DatabaseCheck.verdicts(on: StoreFailure(misconfigured: ["One.", "Two."]))
        #expect(wrong.map(\.text) == ["One.", "Two."] && wrong.allSatisfy { $0.grade == .fail && $0.remedy == nil })
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Testing

@testable import chaos

@Suite struct GapWatchTests {
    @Test func aGapIsFromTheFirstLookWithoutATokenToTheFirstWithOne() {
        var watch = GapWatch(daemon: 2)
        let looks: [GapWatch.Look] = [.live, .none("503"), .none("504"), .live, .live]
        for (index, look) in looks.enumerated() {
            watch.note(look, of: 7, began: Double(index), ended: Double(index) + 0.1)
        }
        let gap = Evidence.Gap(daemon: 2, account: 7, span: Span(from: 1, to: 3.1), said: "504")
        #expect(watch.gaps == [gap])
    }

    @Test func accountsAreToldApartAndWhatIsOpenAtTheEndCounts() {
        var watch = GapWatch(daemon: 0)
        watch.note(.none("409"), of: 1, began: 1, ended: 1)
        watch.note(.live, of: 2, began: 1, ended: 1)
        watch.finish(at: 9)
        #expect(watch.gaps == [Evidence.Gap(daemon: 0, account: 1, span: Span(from: 1, to: 9), said: "409")])
    }

    @Test func aSpanWithoutOthers() {
        let span = Span(from: 0, to: 10)
        #expect(span.longestRest(without: [Span]()) == 10)
        #expect(span.longestRest(without: [Span(from: -5, to: 20)]) == 0)
        #expect(span.longestRest(without: [Span(from: 6, to: 7), Span(from: 1, to: 2)]) == 4)
        #expect(span.longestRest(without: [Span(from: 1, to: 8), Span(from: 2, to: 3)]) == 2)
        #expect(span.longestRest(without: [Span(from: 11, to: 12)]) == 10)
    }
}

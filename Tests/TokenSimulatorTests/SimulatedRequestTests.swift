// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import NIOHTTP1
import Testing

@testable import TokenSimulator

@Suite struct SimulatedRequestTests {
    private func request(agents: [String], uri: String = "/") -> SimulatedRequest {
        let headers = HTTPHeaders(agents.map { ("User-Agent", $0) })
        return SimulatedRequest(
            head: HTTPRequestHead(version: .http1_1, method: .GET, uri: uri, headers: headers),
            body: []
        )
    }

    @Test(arguments: ["tastytokend/1.2.3", "curl/8.0", "a/b", "Mozilla/5.0 (X11; Linux)", "a/1 b/2"])
    func aProductWithAVersionIsAnAgent(agent: String) {
        #expect(request(agents: [agent]).hasUserAgent)
    }

    @Test(arguments: ["", "node", "tastytokend/", "/1.0", "a/b/c", "a b/1", " a/1", "(x)/1"])
    func anythingElseIsNone(agent: String) {
        #expect(!request(agents: [agent]).hasUserAgent)
    }

    @Test func aMissingAgentIsNone() {
        #expect(!request(agents: []).hasUserAgent)
    }

    @Test func pathAndQueryAreTakenApart() {
        let request = request(agents: [], uri: "/_sim/accounts/a%2Fb?user=a%20b+c&x")
        #expect(request.path == "/_sim/accounts/a%2Fb")
        #expect(request.query == ["user": "a b c", "x": ""])
    }

    @Test func formsAreRead() throws {
        #expect(try FormText.fields(Array("a=1&b=x%2By+z&c=&d".utf8)) == ["a": "1", "b": "x+y z", "c": "", "d": ""])
    }

    @Test func pathsAreDecodedWithoutReadingAPlusAsASpace() {
        #expect(FormText.decode(Array("a%2Fb+c".utf8)[...], plusIsSpace: false) == "a/b+c")
        #expect(FormText.decode(Array("%zz".utf8)[...], plusIsSpace: false) == nil)
        #expect(FormText.decode(Array("%FF".utf8)[...], plusIsSpace: false) == nil)
    }

    @Test(arguments: ["a=1&a=2", "a=%", "a=%4", "a=%zz", "a=%ff"])
    func formsThatCannotBeUsedAreErrors(text: String) {
        #expect(throws: FormText.Fault.self) { try FormText.fields(Array(text.utf8)) }
    }
}

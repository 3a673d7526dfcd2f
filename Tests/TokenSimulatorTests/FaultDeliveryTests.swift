// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import FoundationEssentials
import Glibc
import TestSupport
import Testing

@testable import TokenSimulator

/// Faults in the way that a reply goes out, and in what its bytes are, over a plain connection.
@Suite(.timeLimit(.minutes(2))) struct FaultDeliveryTests {
    private func usual(_ caller: Caller, _ grant: String) async throws -> RawConnection.Received {
        let reply = try await caller.rawRefresh(grant)
        #expect(reply.ending == .closed)
        return reply
    }

    @Test(arguments: [0, 1, 20])
    func aLostReplyEndsAfterSoManyBytesAndTheTokenWasMade(bytes: Int) async throws {
        try await Caller.with { caller in
            let grant = try caller.simulator.makeGrant(for: "42")
            try await caller.order(#"{"mode":"lost_reply","bytes":\#(bytes),"count":1}"#)
            let lost = try await usual(caller, grant)
            #expect(lost.bytes == Array("HTTP/1.1 200 OK\r\nContent-Type".utf8.prefix(bytes)))
            #expect(caller.simulator.counts.count(.lostReply) == 1)
            #expect(caller.simulator.counts(of: "42").issued == 1)
            let whole = try await usual(caller, grant)
            #expect(whole.head.hasPrefix("HTTP/1.1 200 OK\r\n"))
        }
    }

    @Test func aTruncatedReplyBreaksOffWithinItsBody() async throws {
        try await Caller.with { caller in
            let grant = try caller.simulator.makeGrant(for: "42")
            try await caller.order(#"{"mode":"truncated","share":0.25}"#)
            let reply = try await usual(caller, grant)
            let announced = try #require(reply.field("Content-Length").flatMap { Int($0) })
            #expect(reply.body.count == announced / 4)
            #expect(reply.text.contains("\r\n\r\n{\"access_token\":\"eyJ"))
            #expect(caller.simulator.counts.outcomes == ["lost_reply": 1])
        }
    }

    @Test func aRefusalCanBeTruncatedToo() async throws {
        try await Caller.with { caller in
            try await caller.order(#"{"mode":"truncated","share":0}"#)
            try await caller.order(#"{"mode":"refusal","code":"invalid_grant"}"#)
            let reply = try await usual(caller, try caller.simulator.makeGrant(for: "42"))
            #expect(reply.head.hasPrefix("HTTP/1.1 400 Bad Request\r\n"))
            #expect(reply.body.isEmpty)
            #expect(caller.simulator.counts.outcomes == ["refusal_fault": 1])
        }
    }

    @Test func aResetIsCountedAsOneEvenIfTheReplyWouldBreakOff() async throws {
        try await Caller.with { caller in
            try await caller.order(#"{"mode":"lost_reply"}"#)
            try await caller.order(#"{"mode":"reset","when":"after"}"#)
            let reply = try await caller.rawRefresh(try caller.simulator.makeGrant(for: "42"))
            #expect(reply.ending == .reset)
            #expect(caller.simulator.counts.outcomes == ["reset_after": 1])
        }
    }

    @Test func aDripBringsAllOfTheReply() async throws {
        try await Caller.with { caller in
            try await caller.order(#"{"mode":"drip","bytes":100,"every_ms":1}"#)
            let reply = try await usual(caller, try caller.simulator.makeGrant(for: "42"))
            #expect(reply.field("Content-Length") == String(reply.body.count))
            #expect(
                caller.masked(reply.text).text.hasSuffix(
                    #"{"access_token":"{access}","token_type":"Bearer","expires_in":900}"#
                )
            )
            #expect(caller.simulator.counts.inFlight == 0)
        }
    }

    @Test func aDripIsInFlightUntilItsLastByte() async throws {
        try await Caller.with { caller in
            try await caller.order(#"{"mode":"drip","bytes":1,"every_ms":3600000}"#)
            let connection = try RawConnection(port: caller.simulator.port)
            connection.askToken(try caller.simulator.makeGrant(for: "42"))
            #expect(await caller.simulator.counts(within: .seconds(60)) { $0.inFlight == 1 } != nil)
            #expect(!connection.hasSomething)
            connection.close()
            #expect(await caller.simulator.counts(within: .seconds(60)) { $0.inFlight == 0 } != nil)
        }
    }

    @Test(arguments: ResetPoint.allCases)
    func aHangSendsNothingAndKeepsTheConnection(point: ResetPoint) async throws {
        try await Caller.with { caller in
            try await caller.order(#"{"mode":"hang","when":"\#(point.rawValue)"}"#)
            let connection = try RawConnection(port: caller.simulator.port)
            connection.askToken(try caller.simulator.makeGrant(for: "42"))
            #expect(await caller.simulator.counts(within: .seconds(60)) { $0.inFlight == 1 } != nil)
            caller.simulator.releaseHeld()
            #expect(!connection.hasSomething)
            #expect(caller.simulator.counts.count(point == .after ? .lostReply : .hung) == 1)
            #expect(caller.simulator.counts(of: "42").issued == (point == .after ? 1 : 0))
            connection.close()
            #expect(await caller.simulator.counts(within: .seconds(60)) { $0.inFlight == 0 } != nil)
        }
    }

    @Test func aFlakyEndpointCanHang() async throws {
        try await Caller.with { caller in
            try await caller.order(#"{"mode":"flaky","share":1,"kinds":["hang"]}"#)
            let connection = try RawConnection(port: caller.simulator.port)
            connection.askToken(try caller.simulator.makeGrant(for: "42"))
            #expect(await caller.simulator.counts(within: .seconds(60)) { $0.count(.hung) == 1 } != nil)
            #expect(!connection.hasSomething)
            connection.close()
        }
    }

    @Test(arguments: ResetPoint.allCases)
    func aResetIsOneOnTheWire(point: ResetPoint) async throws {
        try await Caller.with { caller in
            try await caller.order(#"{"mode":"reset","when":"\#(point.rawValue)"}"#)
            let reply = try await caller.rawRefresh(try caller.simulator.makeGrant(for: "42"))
            #expect(reply.ending == .reset)
            #expect(reply.bytes.isEmpty)
            #expect(caller.simulator.counts(of: "42").issued == (point == .after ? 1 : 0))
        }
    }

    @Test func heldAndLateAnswersComeWhole() async throws {
        try await Caller.with { caller in
            try await caller.order(#"{"mode":"latency","min_ms":1,"max_ms":5}"#)
            try await caller.order(#"{"mode":"hold"}"#)
            let connection = try RawConnection(port: caller.simulator.port)
            connection.askToken(try caller.simulator.makeGrant(for: "42"))
            #expect(await caller.simulator.counts(within: .seconds(60)) { $0.inFlight == 1 } != nil)
            #expect(!connection.hasSomething)
            caller.simulator.releaseHeld()
            let reply = await connection.receive()
            #expect(reply.head.hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(reply.field("Content-Length") == String(reply.body.count))
        }
    }

    @Test func rawBytesAreAllThatComes() async throws {
        try await Caller.with { caller in
            try await caller.order(#"{"mode":"raw","text":"SSH-2.0-OpenSSH_9.2\r\n"}"#)
            let reply = try await caller.rawRefresh(try caller.simulator.makeGrant(for: "42"))
            #expect(reply.text == "SSH-2.0-OpenSSH_9.2\r\n")
            #expect(reply.ending == .closed)
        }
    }
}

extension FaultDeliveryTests {
    @Test func aHugeBodyIsAGoodReplyOfJustThatLength() async throws {
        try await Caller.with { caller in
            try await caller.order(#"{"mode":"huge","bytes":3000000}"#)
            let reply = try await usual(caller, try caller.simulator.makeGrant(for: "42"))
            #expect(reply.field("Content-Length") == "3000000")
            #expect(reply.body.count == 3_000_000)
            #expect(Set(reply.body[1..<2_000_000]) == [UInt8(ascii: " ")])
            #expect(reply.text.hasSuffix(#","token_type":"Bearer","expires_in":900}"#))
            #expect(caller.simulator.counts.outcomes == ["malformed": 1])
        }
    }

    @Test func aHugeBodyInChunksDoesNotAnnounceItsLength() async throws {
        try await Caller.with { caller in
            try await caller.order(#"{"mode":"huge","bytes":150000,"part":"chunked"}"#)
            let reply = try await usual(caller, try caller.simulator.makeGrant(for: "42"))
            #expect(reply.field("Content-Length") == nil)
            #expect(reply.field("Transfer-Encoding") == "chunked")
            #expect(reply.text.contains("\r\n\r\n10000\r\n{ "))
            #expect(reply.text.hasSuffix("\"expires_in\":900}\r\n0\r\n\r\n"))
        }
    }

    @Test func aHugeHeaderFieldComesBeforeAGoodBody() async throws {
        try await Caller.with { caller in
            try await caller.order(#"{"mode":"huge","bytes":300000,"part":"header"}"#)
            let reply = try await usual(caller, try caller.simulator.makeGrant(for: "42"))
            #expect(reply.field("X-Padding") == String(repeating: "x", count: 300_000))
            #expect(reply.field("Content-Length") == String(reply.body.count))
        }
    }

    @Test func aVariantInChunksIsGood() async throws {
        try await Caller.with { caller in
            try await caller.order(#"{"mode":"variant","kind":"chunked"}"#)
            let grant = try caller.simulator.makeGrant(for: "42")
            let raw = try await usual(caller, grant)
            #expect(raw.field("Transfer-Encoding") == "chunked")
            let read = try await caller.refresh(grant)
            let token = try #require(read.json["access_token"]?.text)
            #expect(caller.simulator.user(ofLiveToken: token) == "42")
        }
    }

    @Test func truncatedJSONIsTheFirstHalfWithItsOwnLength() async throws {
        try await Caller.with { caller in
            try await caller.order(#"{"mode":"malformed","kind":"truncated_json"}"#)
            let reply = try await usual(caller, try caller.simulator.makeGrant(for: "42"))
            #expect(reply.field("Content-Length") == String(reply.body.count))
            #expect(reply.body.starts(with: Array(#"{"access_token":"eyJ"#.utf8)))
            #expect(!reply.body.contains(UInt8(ascii: "}")))
        }
    }

    @Test func invalidUTF8IsNoText() async throws {
        try await Caller.with { caller in
            try await caller.order(#"{"mode":"malformed","kind":"invalid_utf8"}"#)
            let reply = try await usual(caller, try caller.simulator.makeGrant(for: "42"))
            #expect(reply.field("Content-Length") == String(reply.body.count))
            #expect(reply.body.count { $0 == 0xFF } == 2)
            #expect(String(validating: reply.body, as: UTF8.self) == nil)
        }
    }

    /// What `gzip` makes of bytes.
    private func decompressed(_ bytes: [UInt8], _ more: String = "") async throws -> String {
        let folder = FileManager.default.temporaryDirectory.appending(path: "ttd-\(UUID().uuidString.prefix(8)).gz")
        try Data(bytes).write(to: folder)
        defer { try? FileManager.default.removeItem(at: folder) }
        let program = try await Program.run(["bash", "-c", "set -o pipefail; gzip -dc \"$0\" \(more)", folder.path()])
        #expect(program.status == 0, "\(program.errors)")
        return program.output
    }

    @Test func aCompressedReplyIsGoodForWhoeverUnpacksIt() async throws {
        try await Caller.with { caller in
            try await caller.order(#"{"mode":"malformed","kind":"gzip"}"#)
            let reply = try await usual(caller, try caller.simulator.makeGrant(for: "42"))
            #expect(reply.field("Content-Encoding") == "gzip")
            #expect(reply.field("Content-Type") == "application/json")
            let text = try await decompressed(reply.body)
            #expect(
                caller.masked(text).text == #"{"access_token":"{access}","token_type":"Bearer","expires_in":900}"#
            )
        }
    }

    @Test func aBombIsSmallUntilItIsUnpacked() async throws {
        try await Caller.with { caller in
            try await caller.order(#"{"mode":"malformed","kind":"gzip_bomb"}"#)
            let reply = try await usual(caller, try caller.simulator.makeGrant(for: "42"))
            #expect(reply.field("Content-Encoding") == "gzip")
            #expect(reply.field("Content-Length") == String(reply.body.count))
            #expect((65_000..<67_000).contains(reply.body.count))
            let size = try await decompressed(reply.body, "| wc -c")
            #expect(size.filter(\.isNumber) == "67108864")
            let others = try await decompressed(reply.body, "| tr -d ' ' | wc -c")
            #expect(others.filter(\.isNumber) == "0", "nothing but spaces")
        }
    }
}

extension FaultDeliveryTests {
    @Test func downMeansThatConnectionsAreRefusedAndOldOnesReset() async throws {
        try await Caller.with { caller in
            let old = try RawConnection(port: caller.simulator.port)
            #expect(await caller.simulator.counts(within: .seconds(60)) { $0.connections == 1 } != nil)
            try await caller.simulator.goDown()
            try await caller.simulator.goDown()
            #expect(await old.receive().ending == .reset)
            #expect { try RawConnection(port: caller.simulator.port) } throws: {
                ($0 as? RawConnection.Failure)?.number == ECONNREFUSED
            }
            try await caller.simulator.comeBack()
            try await caller.simulator.comeBack()
            let reply = try await usual(caller, try caller.simulator.makeGrant(for: "42"))
            #expect(reply.head.hasPrefix("HTTP/1.1 200 OK\r\n"))
        }
    }

    @Test func theControlRouteTakesItDownForATime() async throws {
        try await Caller.with { caller in
            let connection = try RawConnection(port: caller.simulator.port)
            let body = #"{"for_ms":1}"#
            connection.send(
                "POST /_sim/down HTTP/1.1\r\nHost: x\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
            )
            let reply = await connection.receive()
            #expect(reply.text == "HTTP/1.1 204 No Content\r\n\r\n")
            #expect(reply.ending == .reset, "by going down")
            // It listens again by itself; until then a connection is refused at once.
            var back: RawConnection.Received?
            while back == nil { back = try? await caller.rawRefresh(try caller.simulator.makeGrant(for: "42")) }
            #expect(back?.head.hasPrefix("HTTP/1.1 200 OK\r\n") == true)
        }
    }

    @Test func aSimulatorThatIsDownCanBeStopped() async throws {
        try await Caller.with { caller in
            try await caller.simulator.goDown()
        }
    }

    @Test(arguments: [#"{}"#, #"{"for_ms":-1}"#, #"{"for_ms":1e9}"#])
    func aTimeDownHasItsBounds(order: String) async throws {
        try await Caller.with { caller in
            let reply = try await caller.control("POST", "down", order)
            #expect(reply.status == 400)
        }
    }
}

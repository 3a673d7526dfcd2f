// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import NIOCore
import TestSupport
import Testing
import TokenCore

@testable import SocketServer

/// `POST /v1/users/{user}/diagnose`.
@Suite(.timeLimit(.minutes(1))) struct DiagnosisRouteTests {
    private static let sample = Diagnosis(
        of: UserID("a/b"),
        [
            DiagnosisFinding(.ok, "status_active", "All is well."),
            DiagnosisFinding(.fail, "clock", "A \"word\".", remedy: "Mend it."),
        ]
    )

    @Test func whatWasFoundIsGivenInItsOrder() async throws {
        try await SocketFixture.with { fixture in
            fixture.diagnosing.find(Self.sample)
            let client = try await fixture.connect()
            let reply = try await client.send("POST", "/v1/users/a%2Fb/diagnose", body: "")
            #expect(reply.status == 200 && reply.fields["cache-control"] == "no-store", "\(reply)")
            #expect(
                reply.body == """
                    {"user":"a/b","verdict":"fail","needs_a_person":true,"findings":[\
                    {"code":"status_active","severity":"ok","problem":"All is well.","remedy":null},\
                    {"code":"clock","severity":"fail","problem":"A \\"word\\".","remedy":"Mend it."}]}
                    """
            )
            #expect(await fixture.diagnosing.requests.next() == UserID("a/b"))
            #expect(try await client.get("/healthz").status == 200)
        }
    }

    @Test func whoIsNotThereIsUnknownAndOtherMethodsAreNotTaken() async throws {
        try await SocketFixture.with { fixture in
            let client = try await fixture.connect()
            let unknown = try await client.send("POST", "/v1/users/9/diagnose", body: "")
            #expect(unknown.status == 404 && unknown.body.contains("unknown_user"), "\(unknown)")
            let got = try await client.get("/v1/users/9/diagnose")
            #expect(got.status == 405 && got.fields["allow"] == "POST", "\(got)")
            fixture.board.setReady(false)
            let early = try await client.send("POST", "/v1/users/9/diagnose", body: "")
            #expect(early.status == 503 && early.fields["retry-after"] == "1", "\(early)")
        }
    }

    @Test(arguments: [
        (Right.status, "42", true), (.status, "other", false), (.token, "42", false), (.admin, "42", true),
    ])
    func itTakesTheRightStatusForTheUser(_ right: Right, _ user: String, _ isAllowed: Bool) {
        let rules = AccessRules(
            ownUser: 1000,
            [AccessRules.Rule(.user(1001), for: .some([UserID(user)]), [right])]
        )
        let refusal = Dispatch.refusal(.diagnosis(UserID("42")), Caller(process: 1, user: 1001, group: 1001), rules)
        #expect((refusal?.status == 403) == !isAllowed)
    }

    @Test func itEndsWhenItTakesTooLong() async throws {
        var limits = SocketLimits()
        limits.diagnosis = .milliseconds(1)
        try await SocketFixture.with(limits: limits) { fixture in
            fixture.diagnosing.hold()
            let reply = try await fixture.connect().send("POST", "/v1/users/a%2Fb/diagnose", body: "")
            #expect(reply.status == 503 && reply.body.contains("overloaded"), "\(reply)")
            fixture.diagnosing.release()
        }
    }
}

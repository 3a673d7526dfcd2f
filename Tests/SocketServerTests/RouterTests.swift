// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import SocketServer
import Testing
import TokenCore

@Suite struct RouterTests {
    @Test(arguments: [
        ("/v1/users/42/token", Resource.token(UserID("42")), ""),
        ("/v1/users/42/token?min_ttl=3&x=?", .token(UserID("42")), "min_ttl=3&x=?"),
        ("/v1/users/42", .status(UserID("42")), ""),
        ("/v1/users/a%2Fb%20c%C3%A9/token", .token(UserID("a/b cé")), ""),
        ("/v1/users/%2e%2E", .status(UserID("..")), ""),
        ("http://localhost/v1/users/42?q", .status(UserID("42")), "q"),
        ("http://localhost", .unknown, ""),
        ("http://localhost?x=/healthz", .unknown, "x=/healthz"),
        ("/healthz", .alive, ""),
        ("/readyz?verbose", .ready, "verbose"),
        ("/metrics", .metrics, ""), ("/metrics/", .unknown, ""),
        ("/", .unknown, ""), ("", .unknown, ""), ("*", .unknown, ""),
        ("/v1/users", .list, ""), ("/v1/users?limit=3", .list, "limit=3"), ("/v1/users/", .unknown, ""),
        ("/v1/users//token", .unknown, ""),
        ("/v1/users/42/", .unknown, ""), ("/v1/users/42/token/", .unknown, ""), ("/v1/users/42/TOKEN", .unknown, ""),
        ("/V1/users/42", .unknown, ""), ("/healthz/", .unknown, ""), ("/v1/status", .summary, ""),
        ("/v1/users/42/explain", .explanation(UserID("42")), ""),
        ("/v1/users/42/diagnose", .diagnosis(UserID("42")), ""),
        ("/v1/users/42/refresh", .refresh(UserID("42")), ""),
        ("/v1/users/%/token", .malformed, ""), ("/v1/users/%4", .malformed, ""), ("/v1/users/%FF", .malformed, ""),
        ("/v1/users/%00", .malformed, ""),
    ])
    func aTargetNamesOneThing(target: String, resource: Resource, query: String) {
        #expect(Target(target).resource == resource)
        #expect(Target(target).query == query)
    }

    @Test func probesTakeNoRightAndAllElseDoes() {
        let user = UserID("42")
        #expect(Resource.alive.right == nil)
        #expect(Resource.ready.right == nil)
        #expect(Resource.token(user).right == .token)
        #expect(Resource.status(user).right == .status)
        #expect(Resource.diagnosis(user).right == .status && Resource.diagnosis(user).user == user)
        #expect(Resource.metrics.right == .status)
        #expect(Resource.metrics.user == nil, "a right over all users is needed")
        #expect(Resource.unknown.right == .admin)
        #expect(Resource.malformed.right == .admin)
    }
}

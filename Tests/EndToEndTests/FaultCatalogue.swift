// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import TokenSimulator

/// One account's faults, and what the contract says becomes of it.
struct FaultCase: Sendable {
    /// What becomes of the account.
    enum End: Sendable {
        /// It always has a live token; the simulator agrees that it lives.
        case served
        /// It ends in one of these statuses.
        case status(Set<String>)
    }

    let name: String
    let modes: [Fault.Mode]
    let end: End
    /// Whether a call may be cut off while the simulator still thinks of it.
    var isSilent = false
    /// Whether its refreshes fail, and are to be bounded by backoff.
    var backsOff = false
    /// Whether the endpoint asked to be left alone for longer than the test takes.
    var isAskedToWait = false
}

/// Every mode of the simulator with its kinds, each an account's own (docs/simulator.md).
enum FaultCatalogue {
    private static let expired = FaultCase.End.status(["expired"])
    private static let healthy: Set<String> = ["active", "refreshing"]

    /// All cases, with good accounts in between.
    static let all: [FaultCase] = faults.enumerated().flatMap { index, fault in
        index % 5 == 0 ? [FaultCase(name: "good \(index / 5)", modes: [], end: .served), fault] : [fault]
    }

    private static var faults: [FaultCase] {
        refusals + pages + malformations + lifetimes + variants + deliveries + redirects + pauses + tokens
    }

    private static func failing(_ name: String, _ modes: Fault.Mode..., silent: Bool = false) -> FaultCase {
        FaultCase(name: name, modes: modes, end: expired, isSilent: silent, backsOff: true)
    }

    private static func served(_ name: String, _ modes: Fault.Mode...) -> FaultCase {
        FaultCase(name: name, modes: modes, end: .served)
    }

    /// Only what names the grant in so many words costs it its good name.
    private static var refusals: [FaultCase] {
        let codes = [
            "invalid_grant", "invalid_client", "unauthorized_client", "invalid_request", "unsupported_grant_type",
            "access_denied", "something_new",
        ]
        let named: Set<RefusalShape> = [.tastytrade, .rfc6749, .envelope, .envelopeErrors]
        let usual = codes.flatMap { code in
            RefusalShape.allCases.map { shape in
                let isRefused = code == "invalid_grant" && named.contains(shape)
                return FaultCase(
                    name: "refusal \(code) \(shape)",
                    modes: [.refusal(status: 400, code: code, description: "Said so", shape: shape)],
                    end: isRefused ? .status(["reauthorization_required"]) : expired,
                    backsOff: true
                )
            }
        }
        let odd = [200, 429, 500, 503].map { status in
            failing("refusal \(status)", .refusal(status: status, code: "invalid_grant", description: "Grant revoked"))
        }
        return usual + odd
    }

    private static var pages: [FaultCase] {
        let pages = [400, 401, 403, 404, 408, 425, 500, 502, 503, 504].flatMap { status in
            ErrorPage.Body.allCases.map { body in
                failing("page \(status) \(body)", .errorPage(ErrorPage(status, body: body, retryAfter: nil)))
            }
        }
        return pages + [
            failing("page retry-after", .errorPage(ErrorPage(503, retryAfter: "3600"))),
            failing("user agent, page", .userAgentRefused(isEmpty: false)),
            failing("user agent, empty", .userAgentRefused(isEmpty: true)),
            failing("outage unavailable", .outage(.unavailable)), failing("outage reset", .outage(.reset)),
        ]
    }

    private static var malformations: [FaultCase] {
        let harmless: Set<Malformation> = [
            .duplicateKeys, .missingRefreshToken, .nullRefreshToken, .emptyRefreshToken,
        ]
        let broken = Malformation.allCases.map { kind in
            harmless.contains(kind)
                ? served("malformed \(kind)", .malformed(kind)) : failing("malformed \(kind)", .malformed(kind))
        }
        let rotating: [Malformation] = [.refreshTokenOnly, .missingAccessToken, .trailing, .unknownTokenType]
        return broken
            + HugePart.allCases.map { failing("huge \($0)", .huge(bytes: 1 << 20, $0)) }
            + rotating.map { failing("rotating, malformed \($0)", .rotation(.strict), .malformed($0)) }
    }

    private static var lifetimes: [FaultCase] {
        let usable: Set<OddLifetime> = [.missing, .null, .string, .fraction, .exponent, .huge, .overflow]
        let odd = OddLifetime.allCases.filter { $0 != .oneSecond }.map { kind in
            usable.contains(kind)
                // The token lives as long as the reply makes one believe.
                ? served("lifetime \(kind)", .oddLifetime(kind), .lifetime(.seconds(86_400)))
                : failing("lifetime \(kind)", .oddLifetime(kind))
        }
        return odd + [
            FaultCase(name: "lifetime 1 s", modes: [.oddLifetime(.oneSecond)], end: .status(healthy)),
            FaultCase(name: "lifetime 3 s", modes: [.lifetime(.seconds(3))], end: .status(healthy)),
        ]
    }

    private static var variants: [FaultCase] {
        ReplyVariant.allCases.map { served("variant \($0)", .variant($0)) }
    }

    private static var deliveries: [FaultCase] {
        let cut = [0, 20, 300].map { failing("lost after \($0)", .lostReply(sentBytes: $0)) }
        let truncated = [0, 0.5, 0.9].map { failing("truncated \($0)", .truncated(share: $0)) }
        let resets = ResetPoint.allCases.map { failing("reset \($0)", .reset($0)) }
        let silent = ResetPoint.allCases.map { failing("hang \($0)", .hang($0), silent: true) }
        return cut + truncated + resets + silent + [
            failing("hold", .hold, silent: true),
            failing("slow drip", .drip(bytes: 1, every: .milliseconds(200)), silent: true),
            failing("late", .latency(.seconds(30) ... .seconds(40)), silent: true),
            failing("no HTTP", .raw(Array("SSH-2.0-OpenSSH_9.2\r\n".utf8), closes: true)),
            failing("no bytes", .raw([], closes: true)),
            failing("silence", .raw([], closes: false), silent: true),
            served("drip", .drip(bytes: 4096, every: .milliseconds(20))),
            served("latency", .latency(.milliseconds(50) ... .milliseconds(200))),
        ]
    }

    private static var redirects: [FaultCase] {
        [301, 302, 303, 307, 308].map { failing("redirect \($0)", .redirect(status: $0, location: "/oauth/moved")) }
    }

    private static var pauses: [FaultCase] {
        let hints: [RetryAfterHint] = [
            .none, .seconds(2), .seconds(3600), .date(after: .seconds(90)), .text("99999999999999999999"),
            .text("soon"),
        ]
        return hints.map { hint in
            var fault = failing("rate limited \(hint)", .rateLimited(hint))
            switch hint {
            case .date, .seconds(3600), .text("99999999999999999999"): fault.isAskedToWait = true
            case .none, .seconds, .text: break
            }
            return fault
        }
    }

    private static var tokens: [FaultCase] {
        let flaky = Flakiness(share: 0.2)
        return [
            served("rotation strict", .rotation(.strict)), served("rotation silent", .rotation(.silent)),
            served("rotation grace", .rotation(.grace(.seconds(5)))),
            // They concern the exchange of a code.
            served("other customer", .otherCustomer("another")), served("expired code", .expiredCode),
            // The new token is there before it is published: for that moment the old one is handed out dead.
            FaultCase(name: "kills previous", modes: [.killsPrevious], end: .status(healthy)),
            FaultCase(name: "same token, cached", modes: [.sameToken(.cached)], end: expired, backsOff: true),
            FaultCase(
                name: "same token, remaining",
                modes: [.sameToken(.remaining)],
                end: .status(healthy.union(["degraded", "expired"]))
            ),
            FaultCase(name: "flaky", modes: [.flaky(flaky)], end: .status(healthy.union(["degraded"]))),
        ]
    }
}

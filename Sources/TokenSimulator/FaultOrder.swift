// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// A fault in JSON, as `POST /_sim/faults` takes it and `GET` shows it. Durations are in milliseconds.
///
///     {"mode":"latency","min_ms":50,"max_ms":200}          {"mode":"hold","user":"42"}
///     {"mode":"lifetime","life_ms":2000}                   {"mode":"outage","style":"reset","for_ms":3000}
///     {"mode":"error_page","status":503,"body":"html","retry_after":"5","count":3}
///     {"mode":"refusal","code":"invalid_grant","user":"42"}
///     {"mode":"reset","when":"after","count":1}            {"mode":"raw","text":"HTTP/1.1 200 OK\r\n…"}
///
/// docs/simulator.md has one for each mode.
struct FaultOrder: Codable, Hashable, Sendable {
    /// What happens.
    var mode: FaultName
    /// Whom it strikes; all, where it is missing.
    var user: String?
    /// How many requests it strikes.
    var count: Int?
    /// How long it lasts.
    var forMs: Double?
    /// The only kind of token request that it strikes: a value of ``TokenGrantType``.
    var grantType: String?
    /// The latency's lower bound.
    var minMs: Double?
    /// The latency's upper bound; the lower one, where it is missing.
    var maxMs: Double?
    /// How long tokens live.
    var lifeMs: Double?
    /// The status of an error page, a refusal or a redirect.
    var status: Int?
    /// What an error page is: a value of ``ErrorPage/Body``.
    var body: String?
    /// `Retry-After`, as it is sent.
    var retryAfter: String?
    /// `Retry-After` in seconds.
    var retryAfterS: Int?
    /// `Retry-After` as the date so many seconds after the request.
    var retryAfterDateS: Double?
    /// The code of a refusal.
    var code: String?
    /// The words of a refusal; those that go with the code, where they are missing.
    var description: String?
    /// How a refusal is laid out: a value of ``RefusalShape``.
    var shape: String?
    /// Where a redirect leads.
    var location: String?
    /// `before` or `after` the request is acted on, for a reset and a hang.
    var when: String?
    /// `reset` or `unavailable` for an outage, `strict`, `grace` or `silent` for a rotation, `remaining` or `cached` for the
    /// same token.
    var style: String?
    /// How long a refresh token that was exchanged stays good.
    var graceMs: Double?
    /// The bytes of a raw answer.
    var text: String?
    /// Whether the connection ends after a raw answer; it does, where this is missing.
    var closes: Bool?
    /// A number of bytes: what is sent of a lost reply, each drop of a drip, a huge reply's size.
    var bytes: Int?
    /// The pause before each drop.
    var everyMs: Double?
    /// A share from 0 to 1: of the body that is sent, or of the requests that are struck.
    var share: Double?
    /// Which of the mode's kinds: a value of ``OddLifetime``, ``Malformation``, ``ReplyVariant`` or
    /// ``OddCertificate``.
    var kind: String?
    /// What may strike: values of ``Flakiness/Kind``.
    var kinds: [String]?
    /// Whose grant a code brings.
    var customer: String?
    /// Where a reply is huge: a value of ``HugePart``.
    var part: String?

    /// An order that says just this much.
    init(mode: FaultName) {
        self.mode = mode
    }
}

extension FaultOrder {
    /// Whom it strikes.
    var scope: FaultScope { user.map { .account($0) } ?? .all }
}

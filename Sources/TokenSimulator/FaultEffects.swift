// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// The parts of an answer; each is decided by one fault at most.
enum FaultPart: Hashable {
    case latency
    case hold
    case lifetime
    /// What comes instead of the ordinary answer.
    case answer
    /// How the answer goes out.
    case delivery
    /// `expires_in`.
    case expiresIn
    /// How a success is written.
    case form
    /// Which access token a success brings.
    case accessToken
    /// What becomes of earlier access tokens.
    case earlierTokens
    /// Whose grant a code brings.
    case customer
    /// Whether a code's time is over.
    case code
    /// Whether a new refresh token is handed out.
    case rotation
    /// A draw, which may bring one of the others.
    case chance
    /// No part.
    case none
}

/// What the faults make of one request.
struct FaultEffects: Sendable {
    /// How a success is written.
    enum Form: Hashable, Sendable {
        /// It is no good.
        case malformed(Malformation)
        /// In another form.
        case variant(ReplyVariant)
        /// So long.
        case huge(bytes: Int, HugePart)
    }

    /// How much later the answer comes, drawn from this.
    var latency: ClosedRange<Duration>?
    /// Whether the answer waits to be released.
    var isHeld = false
    /// How long the access token lives.
    var lifetime: Duration?
    /// What comes instead of the ordinary answer.
    var answer: Fault.Mode?
    /// How the answer goes out.
    var manner: DeliveryManner?
    /// What is odd about `expires_in`.
    var oddLifetime: OddLifetime?
    /// How a success is written.
    var form: Form?
    /// How the same access token comes again.
    var repetition: Repetition?
    /// Whether earlier access tokens die.
    var killsPrevious = false
    /// Whether and how a new refresh token is handed out.
    var rotation: Rotation?
    /// Who signed in, if it is another than was named.
    var customer: String?
    /// Whether a code is taken for one whose time is over.
    var expiresCode = false
    /// What is left to chance.
    var flakiness: Flakiness?

    /// Takes in what a fault does.
    mutating func add(_ mode: Fault.Mode) {
        switch mode {
        case .latency(let range): latency = range
        case .hold: isHeld = true
        case .lifetime(let lifetime): self.lifetime = lifetime
        case .errorPage, .refusal, .userAgentRefused, .rateLimited, .redirect, .reset, .hang, .raw, .outage:
            answer = mode
        case .lostReply(let bytes): manner = .cut(bytes: bytes)
        case .truncated(let share): manner = .cutBody(share: share)
        case .drip(let bytes, let pause): manner = .drip(bytes: bytes, every: pause)
        case .oddLifetime(let odd): oddLifetime = odd
        case .malformed(let malformation): form = .malformed(malformation)
        case .variant(let variant): form = .variant(variant)
        case .huge(let bytes, let part): form = .huge(bytes: bytes, part)
        case .sameToken(let repetition): self.repetition = repetition
        case .killsPrevious: killsPrevious = true
        case .rotation(let rotation): self.rotation = rotation
        case .otherCustomer(let customer): self.customer = customer
        case .expiredCode: expiresCode = true
        case .flaky(let flakiness): self.flakiness = flakiness
        // It is decided when the connection is made.
        case .certificate: break
        }
    }

    /// Draws what is left to chance. What other faults decided stays as it is.
    mutating func draw(using random: inout some RandomNumberGenerator) {
        guard let flakiness, Double.random(in: 0..<1, using: &random) < flakiness.share,
            let mode = flakiness.kinds.randomElement(using: &random)?.mode, answer == nil
        else { return }
        guard mode.part != .delivery || manner == nil else { return }
        add(mode)
    }
}

extension Fault.Mode {
    /// The part of an answer that it decides.
    var part: FaultPart {
        switch self {
        case .latency: .latency
        case .hold: .hold
        case .lifetime: .lifetime
        case .errorPage, .refusal, .userAgentRefused, .rateLimited, .redirect, .reset, .hang, .raw, .outage: .answer
        case .lostReply, .truncated, .drip: .delivery
        case .oddLifetime: .expiresIn
        case .malformed, .variant, .huge: .form
        case .sameToken: .accessToken
        case .killsPrevious: .earlierTokens
        case .rotation: .rotation
        case .otherCustomer: .customer
        case .expiredCode: .code
        case .flaky: .chance
        case .certificate: .none
        }
    }
}

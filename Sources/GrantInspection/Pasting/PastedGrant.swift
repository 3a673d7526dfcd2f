// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

package import TokenCore

/// What a person pasted as a refresh token, cleaned of what was copied along with it, or refused where it cannot be one.
///
/// Whether it *is* one is another question (``TokenInspection``), which the endpoint alone can decide.
package struct PastedGrant: Sendable {
    /// The longest token, in bytes: as long as the endpoint's own may be (fact sheet section 5).
    package static let tokenLimit = 16_384
    /// The longest text that is looked at, in bytes: a token, and what may stand around it.
    package static let textLimit = 65_536

    /// The token; nil if nothing in the text can be one.
    package let token: Secret?
    /// What was taken off, as notes, and at most one fault: why there is no token.
    package let findings: [Finding]

    /// Looks at a text.
    ///
    /// - Parameter pasted: the text as it came.
    package init(_ pasted: Secret) {
        guard pasted.reveal().utf8.count <= Self.textLimit else {
            (token, findings) = (nil, [Self.tooLong(pasted.reveal(), limit: Self.textLimit)])
            return
        }
        var text = pasted.reveal()
        var notes: [Finding] = []
        do throws(Unwrappable) {
            notes = try Self.unwrap(&text)
        } catch {
            (token, findings) = (nil, [error.finding])
            return
        }
        let fault = Self.fault(of: text)
        token = fault == nil ? Secret(text) : nil
        findings = notes + (fault.map { [$0] } ?? [])
    }

    /// All that can be said of it before the endpoint is asked, the heaviest first.
    ///
    /// - Parameters:
    ///   - client: the client for which it is to be used.
    ///   - scopes: what the grant should allow.
    ///   - now: this host's time.
    ///   - secretReplacedAt: when the client's secret was last replaced at TastyTrade, where that is known.
    /// - Returns: what was taken off, and what is wrong or may be.
    package func findings(
        for client: ClientRegistration,
        wanting scopes: [String],
        at now: WallTime,
        secretReplacedAt: WallTime? = nil
    ) -> [Finding] {
        guard let token else { return findings.bySeverity }
        let inspection = TokenInspection(
            of: token,
            for: client,
            wanting: scopes,
            at: now,
            secretReplacedAt: secretReplacedAt
        )
        return (inspection.findings + findings).bySeverity
    }
}

extension PastedGrant {
    /// There is something around the token that cannot be taken off.
    private struct Unwrappable: Error {
        let finding: Finding
    }

    /// Takes off what is found, from outside in: each wrapping once, but white space as often as it comes.
    private static func unwrap(_ text: inout String) throws(Unwrappable) -> [Finding] {
        var left = Wrapping.allCases
        var notes: [Finding] = []
        var index = 0
        while index < left.count {
            let wrapping = left[index]
            switch wrapping.unwrap(text) {
            case .absent: index += 1
            case .unclear(let flaw): throw Unwrappable(finding: finding(on: flaw))
            case .inside(let inside):
                text = inside
                if !notes.contains(wrapping.note) { notes.append(wrapping.note) }
                if wrapping != .space { left.remove(at: index) }
                index = 0
            }
        }
        return notes
    }

    private static func finding(on flaw: Wrapping.Flaw) -> Finding {
        switch flaw {
        case .unreadable:
            Finding(
                .jsonUnclear,
                "The value begins as a JSON object and is none: its end is missing, or it names something twice.",
                remedy: "Paste what stands in quotes after refresh_token, alone."
            )
        case .withoutToken:
            Finding(
                .jsonUnclear,
                "The value is a JSON object without a refresh_token. TastyTrade gives one when a grant is made, "
                    + "and none when an access token is refreshed.",
                remedy: "Paste the refresh token that TastyTrade showed when the grant was made, or make a new grant."
            )
        }
    }

    /// Why a text cannot be a token: one is of visible ASCII (RFC 6749, appendix A.17, and the space is none of TastyTrade's),
    /// and not absurdly long.
    private static func fault(of text: String) -> Finding? {
        guard !text.isEmpty else {
            return Finding(
                .tokenEmpty,
                "There is no value.",
                remedy: "Paste the refresh token that TastyTrade showed when the grant was made."
            )
        }
        guard text.utf8.count <= tokenLimit else { return tooLong(text, limit: tokenLimit) }
        // The first says enough.
        for (offset, scalar) in text.unicodeScalars.enumerated() where !(0x21...0x7E).contains(scalar.value) {
            return fault(scalar, after: offset)
        }
        return nil
    }

    private static func tooLong(_ text: String, limit: Int) -> Finding {
        Finding(
            .tokenTooLong,
            "The value is longer than any token: it has \(text.utf8.count) bytes, and may have \(limit).",
            remedy: "Paste the refresh token alone; TastyTrade's have some hundred characters."
        )
    }

    private static func fault(_ scalar: Unicode.Scalar, after count: Int) -> Finding {
        let place = count == 0 ? "at its beginning" : "after \(count == 1 ? "1 character" : "\(count) characters")"
        if scalar.properties.isWhitespace {
            return Finding(
                .tokenBroken,
                "White space or a line break stands in the value, \(place). A token has none.",
                remedy:
                    "Copy it again in one piece, not from a mail or a window that breaks lines, and without other words."
            )
        }
        if scalar.properties.generalCategory == .control {
            return Finding(
                .tokenHasControl,
                "A control character stands in the value, \(place). A token has none.",
                remedy: "Copy it again as plain text."
            )
        }
        return Finding(
            .tokenNotASCII,
            "A character that is no plain letter, digit or sign stands in the value, \(place). It may be one that cannot be seen.",
            remedy: "Copy it again from where TastyTrade shows it, not from a document that sets quotes and dashes."
        )
    }
}

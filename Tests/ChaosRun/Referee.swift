// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// Judges what was seen. Pure: the same evidence has the same verdict.
struct Referee {
    /// How long a reply that arrived may take to its row while nothing is wrong.
    private static let storeTime = 1.0
    /// A call is noted when it is whole, which may be a moment after its daemon was stopped.
    private static let slack = 0.1

    private let settings: ChaosSettings
    private let evidence: Evidence
    private let calls: [Int: [Evidence.Call]]

    private init(_ settings: ChaosSettings, _ evidence: Evidence) {
        (self.settings, self.evidence) = (settings, evidence)
        calls = Dictionary(grouping: evidence.calls.sorted { $0.at < $1.at }, by: \.account)
    }

    /// Gives the verdict.
    static func judge(_ evidence: Evidence, _ settings: ChaosSettings) -> Verdict {
        let referee = Referee(settings, evidence)
        var verdict = Verdict(looks: evidence.looks, calls: evidence.calls.count)
        verdict.failures = evidence.troubles
        referee.judgeGrants(&verdict)
        referee.judgeRepetitions(&verdict)
        referee.judgeGaps(&verdict)
        verdict.deadTokens = evidence.deadTokens.count
        verdict.failures += evidence.deadTokens.map {
            "daemon \($0.daemon) handed out a token of account \($0.account) at \($0.at.seconds) that was dead for "
                + "\($0.deadFor.seconds)"
        }
        VitalsJudge(evidence.vitals).judge(&verdict)
        return verdict
    }

    private func judgeGrants(_ verdict: inout Verdict) {
        for (account, calls) in calls.sorted(by: { $0.key < $1.key }) {
            for (index, call) in calls.enumerated() where call.killsGrant {
                let origin = calls[..<index].last { $0.gaveToken }
                let words = "the grant of account \(account) was killed at \(call.at.seconds) by daemon \(call.daemon)"
                guard settings.kind(of: account) == .strict, let origin, let reason = reasonForLoss(origin, call) else {
                    verdict.grantsLost += 1
                    let last = origin.map { ", after daemon \($0.daemon) had refreshed it at \($0.at.seconds)" } ?? ""
                    verdict.failures.append(words + last)
                    continue
                }
                verdict.repliesLost.append("account \(account) at \(origin.at.seconds): \(reason)")
                let mended = mended(after: call)
                let end = evidence.endings.first {
                    $0.account == account && $0.at >= call.at - Self.slack && $0.at <= mended
                }
                guard end?.status != "unknown_outcome" else { continue }
                let otherwise = "\(words); it ended in \(end?.status ?? "silence"), not in unknown_outcome"
                verdict.failures.append(otherwise)
            }
        }
    }

    /// Why nobody can be blamed for presenting a refresh token that was spent by `origin`; nil if somebody can.
    private func reasonForLoss(_ origin: Evidence.Call, _ call: Evidence.Call) -> String? {
        reasonForLostReply(origin) ?? reasonToTakeOver(origin, call)
    }

    /// Why another daemon called although somebody has the answer: its journal has it, but whoever has the journal was away for longer
    /// than the claim held, and the token at hand about to die. nil if that is not so.
    private func reasonToTakeOver(_ origin: Evidence.Call, _ call: Evidence.Call) -> String? {
        let isTakenOver =
            call.daemon != origin.daemon && call.at >= origin.at + settings.claimFor - settings.timeout
            && call.at >= worthARisk(origin)
            && evidence.downtimes.contains {
                $0.daemon == origin.daemon && $0.span.from <= unstored(origin).to && $0.span.to >= call.at - Self.slack
            }
        return isTakenOver ? "daemon \(origin.daemon) had it, and was down until its claim ran out" : nil
    }

    /// When the token at hand before a call is about to die: a call that is not accounted for is waited for until then.
    private func worthARisk(_ origin: Evidence.Call) -> Double {
        let before = calls[origin.account]?.last { $0.gaveToken && $0.at < origin.at }
        guard let before, let token = before.token, evidence.seen.contains(token) else { return 0 }
        return before.at + settings.life * 0.9 - Self.slack
    }

    /// Why nobody ever had the reply to a call; nil if somebody should have had it.
    private func reasonForLostReply(_ call: Evidence.Call) -> String? {
        if call.isReplyLost { return "lost by the provider" }
        if let token = call.token, evidence.seen.contains(token) { return nil }
        let waits = Span(from: call.at - Self.slack, to: call.at + settings.timeout)
        // One that is only stopped finds the reply when it goes on.
        let isCutOff = evidence.downtimes.contains { $0.isKill && $0.daemon == call.daemon && $0.span.meets(waits) }
        return isCutOff ? "lost with daemon \(call.daemon)" : nil
    }

    /// The time in which a reply may not have been in its row: longer while the database is in trouble.
    private func unstored(_ call: Evidence.Call) -> Span {
        var span = Span(from: call.at - Self.slack, to: call.at + Self.storeTime)
        for fault in evidence.faults.sorted(by: { $0.span.from < $1.span.from })
        where fault.daemon == nil && fault.account == nil && fault.span.meets(span) {
            span.to = max(span.to, fault.span.to + settings.bar)
        }
        return span
    }

    private func judgeRepetitions(_ verdict: inout Verdict) {
        for (account, calls) in calls.sorted(by: { $0.key < $1.key }) {
            for (first, second) in succession(of: calls) where second.at - first.at < settings.soonest {
                let between = Span(from: first.at, to: second.at)
                if evidence.enrolments.contains(where: { $0.account == account && between.meets($0.span) }) { continue }
                if let reason = reasonForRepetition(first, second) {
                    verdict.repetitions.append("account \(account) at \(second.at.seconds): \(reason)")
                } else {
                    verdict.refreshedTwice += 1
                    verdict.failures.append(
                        "account \(account) was refreshed by daemon \(first.daemon) at \(first.at.seconds) and again by "
                            + "daemon \(second.daemon) at \(second.at.seconds)"
                    )
                }
            }
        }
    }

    /// Each call that gave a token, with the one before whose answer counted: where another daemon took over and the first one came back
    /// with its answer, what the other was given is dropped, and nobody ever saw it.
    private func succession(of calls: [Evidence.Call]) -> [(Evidence.Call, Evidence.Call)] {
        var pairs: [(Evidence.Call, Evidence.Call)] = []
        var last: Evidence.Call?
        for call in calls where call.gaveToken {
            if let last { pairs.append((last, call)) }
            let isDropped = call.token.map { !evidence.seen.contains($0) } ?? false
            if let former = last, isDropped, reasonToTakeOver(former, call) != nil { continue }
            last = call
        }
        return pairs
    }

    /// Why a refresh had to be made again so soon; nil if it had not.
    private func reasonForRepetition(_ first: Evidence.Call, _ second: Evidence.Call) -> String? {
        if let reason = reasonForLostReply(first) ?? reasonToTakeOver(first, second) { return reason }
        let isStepped = evidence.clockSteps.contains {
            $0.daemon == second.daemon && $0.at <= second.at && $0.at >= second.at - settings.life
        }
        if isStepped {
            return "the clock of daemon \(second.daemon) was stepped"
        }
        // A new refresh token is in the journal; an access token alone may go with its daemon.
        guard !second.isReuse, settings.kind(of: first.account) == .plain else { return nil }
        let isGone = evidence.downtimes.contains { $0.daemon == first.daemon && $0.span.meets(unstored(first)) }
        if isGone { return "daemon \(first.daemon) went before it was stored" }
        let isLate = unstored(first).length > Self.storeTime + 2 * Self.slack
        let isFree = second.at - first.at >= settings.claimFor - settings.timeout
        return isLate && isFree ? "its claim ran out before the database could be written" : nil
    }

    /// When the account got another grant after this one was killed.
    private func mended(after call: Evidence.Call) -> Double {
        evidence.enrolments.first { $0.account == call.account && $0.at > call.at }?.at ?? .infinity
    }

    private func judgeGaps(_ verdict: inout Verdict) {
        var faults = evidence.faults
        faults += evidence.downtimes.map { Evidence.Fault(what: "down", daemon: $0.daemon, span: $0.span) }
        for (account, calls) in calls {
            for call in calls where call.killsGrant {
                let span = Span(from: call.at, to: mended(after: call))
                faults.append(Evidence.Fault(what: "no grant", account: account, span: span))
            }
        }
        for gap in evidence.gaps {
            // What took no time explains none, and must not cut a gap into two.
            let spans = faults.filter { $0.concerns(gap.account, at: gap.daemon) && $0.span.length > Self.slack }.map(
                \.span
            )
            let rest = gap.span.longestRest(without: spans)
            verdict.longestGap = max(verdict.longestGap, gap.span.length)
            guard rest > verdict.longestBeyond else { continue }
            verdict.longestBeyond = rest
            verdict.longestBeyondWords =
                "account \(gap.account) at daemon \(gap.daemon), \(gap.span.from.seconds) to \(gap.span.to.seconds): \(gap.said)"
        }
        if !settings.isLenient, verdict.longestBeyond > settings.bar {
            verdict.failures.append(
                "without a live token for \(verdict.longestBeyond.seconds) beyond any fault: \(verdict.longestBeyondWords)"
            )
        }
    }
}

extension Evidence.Enrolment {
    /// The moment of it.
    fileprivate var span: Span { Span(from: at, to: at) }
}

extension Double {
    /// As a time in a sentence.
    var seconds: String { "\(Disturbance.text(self)) s" }
}

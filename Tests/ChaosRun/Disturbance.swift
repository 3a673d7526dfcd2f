// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// One thing that is done to the installation. Times are in seconds, daemons and accounts by number.
enum Disturbance: Hashable, Sendable {
    /// A daemon is killed (SIGKILL), and started again after a while.
    case kill(daemon: Int, downFor: Double)
    /// A daemon is ended in good order (SIGTERM), and started again at once.
    case restart(daemon: Int)
    /// A daemon is stopped in the middle of whatever it does (SIGSTOP), and goes on after a while.
    case pause(daemon: Int, for: Double)
    /// A daemon's wall clock is from now on that much ahead of the true one, or behind.
    case stepClock(daemon: Int, to: Double)
    /// All connections to the database break.
    case cutDatabase
    /// They break, and new ones are refused.
    case refuseDatabase(for: Double)
    /// Nothing goes to the database or comes from it.
    case swallowDatabase(for: Double)
    /// Everything takes longer, each way.
    case delayDatabase(by: Double, for: Double)
    /// Tokens are written and committed, and whoever wrote them is not told: his connection breaks, or is silent.
    case loseCommit(silently: Bool)
    /// Accounts are claimed, and whoever claimed them is not told.
    case loseClaim(silently: Bool)
    /// The endpoint is away.
    case endpointAway(for: Double)
    /// A share of all refreshes meets with the sandbox's faults.
    case endpointFlaky(share: Double, for: Double)
    /// The reply to the next refresh of an account is lost.
    case loseReply(account: Int)
}

extension Disturbance: CustomStringConvertible {
    var description: String {
        switch self {
        case .kill(let daemon, let time): "daemon \(daemon) is killed, and comes back after \(Self.text(time)) s"
        case .restart(let daemon): "daemon \(daemon) is ended in good order, and started again"
        case .pause(let daemon, let time): "daemon \(daemon) is stopped for \(Self.text(time)) s"
        case .stepClock(let daemon, let step):
            "the clock of daemon \(daemon) is stepped to \(Self.text(step)) s from the true time"
        case .cutDatabase: "all connections to the database are cut"
        case .refuseDatabase(let time): "the database refuses everybody for \(Self.text(time)) s"
        case .swallowDatabase(let time): "nothing passes to or from the database for \(Self.text(time)) s"
        case .delayDatabase(let delay, let time):
            "the database is \(Self.text(delay)) s away, each way, for \(Self.text(time)) s"
        case .loseCommit(let silently):
            "a commit's answer is lost, and the connection \(silently ? "falls silent" : "breaks")"
        case .loseClaim(let silently):
            "a claim's answer is lost, and the connection \(silently ? "falls silent" : "breaks")"
        case .endpointAway(let time): "the endpoint is away for \(Self.text(time)) s"
        case .endpointFlaky(let share, let time):
            "\(Self.text(share * 100)) of 100 refreshes meet with a fault for \(Self.text(time)) s"
        case .loseReply(let account): "the next reply to account \(account) is lost"
        }
    }

    /// What it is, without when and to whom.
    var kind: String {
        switch self {
        case .kill: "kill"
        case .restart: "restart"
        case .pause: "pause"
        case .stepClock: "clock step"
        case .cutDatabase: "database cut"
        case .refuseDatabase: "database refuses"
        case .swallowDatabase: "database silent"
        case .delayDatabase: "database slow"
        case .loseCommit: Self.lostCommit
        case .loseClaim: Self.lostClaim
        case .endpointAway: "endpoint away"
        case .endpointFlaky: "endpoint flaky"
        case .loseReply: Self.lostReply
        }
    }

    /// Kinds that are ordered, and come about when the next of the kind comes by.
    static let (lostCommit, lostClaim, lostReply) = ("lost commit", "lost claim", "lost reply")

    /// A number with two decimals.
    static func text(_ number: Double) -> String {
        let hundredths = Int((number * 100).rounded())
        let fraction = abs(hundredths % 100)
        return "\(hundredths < 0 ? "-" : "")\(abs(hundredths) / 100).\(fraction < 10 ? "0" : "")\(fraction)"
    }
}

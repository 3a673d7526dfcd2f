// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Hummingbird
import TokenCore

extension WebPages {
    /// The page for what did not come about on the way to TastyTrade and back.
    ///
    /// - Parameters:
    ///   - failure: why; its words may be shown.
    ///   - title: the heading where link or state are good for nothing, and no explanation has a better one.
    ///   - visit: who looks at it; nil for nobody, who is shown no way to where he could not go.
    /// - Returns: the page.
    func response(to failure: EnrollmentFailure, _ title: String, for visit: Visit?) -> Response {
        let link = visit.map { _ in Link(address: AuthorizePage.path, words: "Begin again") }
        let view =
            if let explanation = failure.explanation {
                ExplanationView(explanation, link: link, for: visit)
            } else {
                ExplanationView(failure.title(title), failure.text, link: link, for: visit)
            }
        return renderer.page(.explanation, view, status: failure.status).saying(failure.retryAfter)
    }
}

extension EnrollmentFailure {
    /// The status of the page that says so.
    var status: HTTPResponse.Status {
        switch kind {
        case .unknownUser, .unknownClient, .invalid, .grantRefused: .unprocessableContent
        case .noSealingKey: .conflict
        case .invalidState: .gone
        case .tooSoon: .tooManyRequests
        case .unavailable: .serviceUnavailable
        }
    }

    /// The heading of a page of its own.
    fileprivate func title(_ ofInvalidState: String) -> String {
        switch kind {
        case .invalidState: ofInvalidState
        case .tooSoon, .unavailable: "This cannot be done at the moment"
        case .unknownUser, .unknownClient, .invalid, .grantRefused, .noSealingKey: "The account was not connected"
        }
    }
}

extension Response {
    /// The same, with the time after which another try is worth while.
    ///
    /// - Parameter wait: the time; nil where it is not known, or does not help.
    /// - Returns: the reply.
    func saying(_ wait: Duration?) -> Response {
        guard let wait else { return self }
        var copy = self
        copy.headers[.retryAfter] = "\(max(wait.wholeSecondsUp, 1))"
        return copy
    }
}

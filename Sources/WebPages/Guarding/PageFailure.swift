// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Hummingbird

/// Why a request is answered by a page that says so.
struct PageFailure: Error, Hashable {
    /// The status of the reply.
    let status: HTTPResponse.Status
    /// The heading.
    let title: String
    /// What happened.
    let whatHappened: String
    /// What to do.
    let whatToDo: String
    /// Whether the overview is the way on.
    let leadsHome: Bool

    /// Puts it together; the words hold nothing that came with the request.
    init(
        _ status: HTTPResponse.Status,
        _ title: String,
        _ whatHappened: String,
        _ whatToDo: String,
        leadsHome: Bool = false
    ) {
        self.status = status
        self.title = title
        self.whatHappened = whatHappened
        self.whatToDo = whatToDo
        self.leadsHome = leadsHome
    }

    /// What is known by the status alone.
    init(status: HTTPResponse.Status) {
        switch status {
        case .notFound:
            self.init(
                status,
                "There is no such page",
                "Nothing is at this address.",
                "Begin at the overview.",
                leadsHome: true
            )
        case .contentTooLarge:
            self.init(
                status,
                "The form is too large",
                "More was sent than any of the forms here can hold, and nothing was changed.",
                "Go back, and look at what was pasted.",
                leadsHome: true
            )
        default:
            self.init(
                status,
                "The request cannot be answered",
                "These pages do not understand it (HTTP \(status.code)).",
                "Begin at the overview.",
                leadsHome: true
            )
        }
    }

    /// Nobody is signed in.
    static let notSignedIn = PageFailure(
        .forbidden,
        "Sign in first",
        "These pages are for the operator of this service. There is no session in this browser, or its 30 minutes are over.",
        "Run tastytoken console on the host where tastytokend runs, and open the link that it prints."
    )

    /// A form without the session's own token.
    static let forged = PageFailure(
        .forbidden,
        "The form is not from this session",
        "It was opened before the present sign-in, or does not come from these pages. Nothing was changed.",
        "Open the page again and fill in the form anew.",
        leadsHome: true
    )
}

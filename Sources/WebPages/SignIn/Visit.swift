// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Hummingbird

/// A request of somebody who is signed in.
struct Visit {
    /// What the session's forms carry along.
    let formToken: String

    /// Sees to it that a form is one of this session's.
    ///
    /// - Parameter form: the form.
    /// - Throws: a page that says it is not.
    func check(_ form: FormFields) throws(PageFailure) {
        guard form.carries(formToken) else { throw .forged }
    }
}

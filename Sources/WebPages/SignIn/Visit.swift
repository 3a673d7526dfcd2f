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
        guard Self.areEqual(form["form_token"], formToken) else { throw .forged }
    }

    /// Compares in a time that does not tell how much is right.
    private static func areEqual(_ left: String, _ right: String) -> Bool {
        let (left, right) = (Array(left.utf8), Array(right.utf8))
        guard left.count == right.count else { return false }
        return zip(left, right).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// What a page may load, and where its forms may lead (CSP Level 3).
enum ContentPolicy {
    /// Nothing but the pages' own style, and forms that lead back to them.
    ///
    /// - Parameter hosts: origins to which a form may lead too. A form that is answered by a redirect leads to where the redirect
    ///   goes, so that the one that begins an authorization names the host of the authorize page.
    /// - Returns: the value of the field `Content-Security-Policy`.
    static func text(formsAlsoTo hosts: [String] = []) -> String {
        let forms = ["form-action 'self'"] + hosts
        return
            "default-src 'none'; style-src 'self'; img-src 'self'; \(forms.joined(separator: " ")); frame-ancestors 'none'; base-uri 'none'"
    }
}

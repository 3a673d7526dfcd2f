// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Hummingbird

/// The cookie that a session is known by.
///
/// It is `SameSite=Strict`: whoever comes from another site, TastyTrade's too, comes as a stranger, and the way back from TastyTrade
/// needs a cookie of its own (``BrowserCookie``) and no session. With `https` its name has the prefix `__Host-`, which no other host
/// or path can set.
/// Browsers keep cookies by host and not by port: whatever else is served on this host is shown this one too.
struct SessionCookie {
    let isSecure: Bool

    /// What the browser calls it.
    var name: String { isSecure ? "__Host-tastytokend" : "tastytokend" }

    /// The value of `Set-Cookie` that begins a session.
    func beginning(_ token: String, for life: Duration) -> String {
        attributes(value: token, seconds: life.components.seconds)
    }

    /// The value of `Set-Cookie` that makes the browser forget it.
    var ending: String { attributes(value: "", seconds: 0) }

    /// What the request says; nil where it says nothing.
    func value(in request: Request) -> String? {
        request.cookies[name].map(\.value)
    }

    private func attributes(value: String, seconds: Int64) -> String {
        "\(name)=\(value); Path=/; Max-Age=\(seconds); HttpOnly; SameSite=Strict" + (isSecure ? "; Secure" : "")
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Hummingbird
import TokenCore

/// The cookie by which a browser is known again when it comes back from TastyTrade: what was begun in one browser is finished in no
/// other, so that nobody can have a stranger's account connected for himself (hard case H32).
///
/// It is `SameSite=Lax`: the way back from TastyTrade begins at another site, and a `Strict` one would stay behind. It opens nothing
/// by itself, whence a page may set it that anybody can open. Name and prefix are as ``SessionCookie`` has them.
struct BrowserCookie {
    /// How long a browser keeps it: as long as TastyTrade's answer is waited for. Each page that sends somebody there sets it anew.
    static let life = PendingAuthorization.lifetime

    let isSecure: Bool

    /// What the browser calls it.
    var name: String { isSecure ? "__Host-tastytokend-browser" : "tastytokend-browser" }

    /// The value of `Set-Cookie`.
    func setting(_ secret: Secret) -> String {
        "\(name)=\(secret.reveal()); Path=/; Max-Age=\(Self.life.components.seconds); HttpOnly; SameSite=Lax"
            + (isSecure ? "; Secure" : "")
    }

    /// What the browser is known by; nil where it has nothing that was given here.
    func secret(in request: Request) -> Secret? {
        request.cookies[name].map(\.value).flatMap { Self.isWellFormed($0) ? Secret($0) : nil }
    }

    /// Whether it looks like what ``SecretSource/makeToken()`` makes: 256 bits in base64url.
    static func isWellFormed(_ value: String) -> Bool {
        value.utf8.count == 43
            && value.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }
}

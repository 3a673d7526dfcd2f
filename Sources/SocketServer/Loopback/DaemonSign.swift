// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// By what a daemon of this product is known at a TCP address: what it is asked, and what only it says.
package struct DaemonSign: Sendable {
    /// What it is asked.
    let request: [UInt8]
    /// How its answer begins.
    let begin: [UInt8]
    /// What stands somewhere in it.
    let mark: [UInt8]

    private init(path: String, host: String, begin: String, mark: String) {
        request = Array("GET \(path) HTTP/1.1\r\nHost: \(host)\r\nConnection: close\r\n\r\n".utf8)
        self.begin = Array(begin.utf8)
        self.mark = Array(mark.utf8)
    }

    /// Metrics, with a series that is a daemon's alone: other programs give the `process_` ones too.
    static func metrics(at address: LoopbackAddress) -> DaemonSign {
        DaemonSign(path: "/metrics", host: "\(address)", begin: "HTTP/1.1 200 ", mark: "\ntastytokend_")
    }

    /// Web pages: without a link there is one that says where a link comes from.
    ///
    /// - Parameter authority: host and port of `web.publicUrl`; to other names nothing is said.
    /// - Returns: the sign.
    package static func pages(calledAs authority: String) -> DaemonSign {
        DaemonSign(path: "/console", host: authority, begin: "HTTP/1.1 410 ", mark: "tastytoken console")
    }
}

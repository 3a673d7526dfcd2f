// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import SocketAPI

/// The address to which TastyTrade sent a browser back, as somebody pasted it (RFC 6749 sections 4.1.2 and 4.1.2.1).
struct RedirectedAddress: Equatable {
    /// What came back with the state.
    enum End: Equatable {
        /// A code.
        case code(String)
        /// The word in its place.
        case error(String)
    }

    /// The state.
    let state: String
    /// What came with it.
    let end: End

    /// Takes an address apart.
    ///
    /// - Parameter pasted: the whole address, with white space or quotes around it at most.
    /// - Throws: what is missing, for whoever pasted it; nothing of it is quoted.
    init(_ pasted: String) throws(Failure) {
        let address = pasted.drop { " \t\"'<".contains($0) }.prefix { !" \t\"'>#\r\n".contains($0) }
        guard let mark = address.firstIndex(of: "?") else {
            throw Failure(
                .usage,
                "that is no address to which TastyTrade sends a browser back: it has no question mark. Copy the whole address."
            )
        }
        var parameters: [String: String] = [:]
        for pair in address[address.index(after: mark)...].split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, let name = Self.decode(parts[0]), let value = Self.decode(parts[1]) else {
                continue
            }
            guard parameters.updateValue(value, forKey: name) == nil else {
                throw Failure(.usage, "that address says something twice. Copy it once, and whole.")
            }
        }
        guard let state = parameters[EnrollmentField.state], !state.isEmpty else {
            throw Failure(.usage, "that address has no state in it. Copy the whole address.")
        }
        self.state = state
        if let error = parameters[EnrollmentField.error], !error.isEmpty {
            end = .error(error)
        } else if let code = parameters[EnrollmentField.code], !code.isEmpty {
            end = .code(code)
        } else {
            throw Failure(.usage, "that address has no code in it. Copy the whole address, after you allowed access.")
        }
    }

    /// What a form's coding means (WHATWG URL Standard, application/x-www-form-urlencoded).
    private static func decode(_ text: Substring) -> String? {
        PercentCoding.decode(String(text.map { $0 == "+" ? " " : $0 }))
    }
}

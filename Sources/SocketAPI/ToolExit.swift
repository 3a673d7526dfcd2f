// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

/// How `tastytoken` ends (product.md, tastytoken); the numbers are those of sysexits.h.
package enum ToolExit: Int32, Sendable, CaseIterable {
    /// Done.
    case done = 0
    /// The command line, or what it made of the request, is wrong.
    case usage = 64
    /// No row has this id.
    case unknownUser = 67
    /// No daemon answers at the socket, or what answers is none.
    case noDaemon = 69
    /// Not now; the same call may succeed later.
    case tryLater = 75
    /// The caller may not ask this.
    case notAllowed = 77
    /// The grant needs a person.
    case grantNeedsPerson = 78

    /// The end that a refusal of the daemon leads to. A code that is not known decides by its HTTP status.
    package init(httpStatus: Int, code: String?) {
        switch httpStatus {
        case 200..<400: self = .done
        case 403: self = .notAllowed
        case 404: self = code == ProblemCode.unknownUser.rawValue ? .unknownUser : .noDaemon
        case 405: self = .noDaemon
        case 409, 410, 422: self = .grantNeedsPerson
        case 412, 429, 500...: self = .tryLater
        default: self = .usage
        }
    }
}

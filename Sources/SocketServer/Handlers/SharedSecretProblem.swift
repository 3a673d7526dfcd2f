// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import SocketAPI
import TokenCore

extension Problem {
    /// What a caller is told whose secret could not be stored, or is needed and cannot be opened.
    init(_ failure: SharedSecretFailure) {
        switch failure {
        case .noSealingKey: self.init(.noSealingKey, detail: "\(failure)")
        case .notSealed: self.init(.badRequest, detail: "\(failure)")
        case .unreadable, .inClear: self.init(.unreadableGrant, detail: "\(failure)")
        }
    }
}

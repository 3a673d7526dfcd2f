// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Foundation

/// Makes an empty folder of its own, which whoever asked for it removes. Its path is short: a socket's path has 107 bytes
/// at most.
///
/// - Parameter purpose: a word that says what it is for.
/// - Returns: the folder's path.
/// - Throws: why the system made none.
package func makeTemporaryFolder(for purpose: String) throws -> String {
    // mkdtemp(3) puts letters in the place of the last six.
    var template = Array("/tmp/tastytokend-\(purpose).\(String(repeating: "X", count: 6))".utf8CString)
    guard mkdtemp(&template) != nil else { throw TestSupportError("mkdtemp failed, errno \(errno).") }
    return String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
}

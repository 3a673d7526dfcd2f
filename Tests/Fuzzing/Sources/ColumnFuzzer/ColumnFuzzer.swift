// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import CFuzzer
import Glibc

/// The readers of sealed columns and of sets of keys are given any bytes: `ColumnFuzzer [libFuzzer's options] [CORPUS…]`.
///
/// The first byte of an input says which reader gets the rest (`ColumnLaws`).
@main
enum ColumnFuzzer {
    static func main() {
        var count = CommandLine.argc
        var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv
        exit(LLVMFuzzerRunDriver(&count, &arguments) { lookAtOneInput($0, $1) })
    }

    /// Ends the process where a law is broken, which libFuzzer notices, and keeps the input.
    fileprivate static func look(at input: UnsafeBufferPointer<UInt8>) {
        guard let first = input.first else { return }
        let rest = Array(input.dropFirst())
        switch first % 3 {
        case 0: ColumnLaws.holdForStored(String(decoding: rest, as: UTF8.self))
        case 1: ColumnLaws.holdForSecret(String(decoding: rest, as: UTF8.self))
        default: ColumnLaws.holdForKeySet(rest)
        }
    }
}

/// The name that libFuzzer's own `main` is linked with; which of the two mains the linker takes does not matter.
@_cdecl("LLVMFuzzerTestOneInput")
public func lookAtOneInput(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    ColumnFuzzer.look(at: UnsafeBufferPointer(start: data, count: size))
    return 0
}

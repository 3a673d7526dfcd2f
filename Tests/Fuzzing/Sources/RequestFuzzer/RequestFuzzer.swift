// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import CFuzzer
import Glibc

/// Both ways are given the same bytes, and must give the same answers: `RequestFuzzer [libFuzzer's options] [CORPUS…]`.
///
/// The first two bytes of an input say where the rest is cut in two, and their first bit on which way it is sent so; the rest
/// is what a caller sends.
@main
enum RequestFuzzer {
    static func main() {
        var count = CommandLine.argc
        var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv
        exit(LLVMFuzzerRunDriver(&count, &arguments) { lookAtOneInput($0, $1) })
    }

    /// Ends the process where the ways disagree, which libFuzzer notices, and keeps the input.
    fileprivate static func look(at input: UnsafeBufferPointer<UInt8>) {
        guard input.count > 2 else { return }
        let stream = Array(input.dropFirst(2))
        let cut = (Int(input[0]) << 8 | Int(input[1])) % stream.count
        do {
            let expected = try Exchange.answers(to: stream, cutAt: nil, usesShortWay: false)
            // In pieces on one of the ways, so that there is time for more inputs.
            let inPieces = input[0] & 0x80 == 0
            for (cut, usesShortWay) in [(nil, true), (cut, inPieces)] as [(Int?, Bool)] {
                let answers = try Exchange.answers(to: stream, cutAt: cut, usesShortWay: usesShortWay)
                guard answers == expected else {
                    fatalError(
                        """
                        the ways disagree (cut at \(cut.map(String.init) ?? "none"), short way: \(usesShortWay))
                        the general way, at once: \(expected)
                        this: \(answers)
                        """
                    )
                }
            }
        } catch {
            fatalError("the exchange failed: \(error)")
        }
    }
}

/// The name that libFuzzer's own `main` is linked with; which of the two mains the linker takes does not matter.
@_cdecl("LLVMFuzzerTestOneInput")
public func lookAtOneInput(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    RequestFuzzer.look(at: UnsafeBufferPointer(start: data, count: size))
    return 0
}

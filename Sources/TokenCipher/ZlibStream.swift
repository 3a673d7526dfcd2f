// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import CZlib

/// Streams of zlib (RFC 1950), as Active Record compresses with. It must be the stock zlib at its usual level: a value in a
/// column that is searched has to come out the same to the byte.
enum ZlibStream {
    /// Why a stream could not be inflated.
    enum Fault: Error, Hashable {
        /// It is none, or not a whole one, or something comes after it.
        case damaged
        /// More would come of it than is wanted.
        case tooLong
    }

    /// Compresses; nil if there is no memory for it.
    static func deflate(_ bytes: [UInt8]) -> [UInt8]? {
        var status = Z_OK
        let stream = [UInt8](unsafeUninitializedCapacity: Int(compressBound(UInt(bytes.count)))) { output, count in
            var length = uLongf(output.count)
            status = compress2(output.baseAddress, &length, bytes, UInt(bytes.count), Z_DEFAULT_COMPRESSION)
            count = status == Z_OK ? Int(length) : 0
        }
        return status == Z_OK ? stream : nil
    }

    /// Inflates a stream to so many bytes at most, and takes no memory for more.
    static func inflate(_ stream: [UInt8], atMost limit: Int) throws(Fault) -> [UInt8] {
        var status = Z_OK
        var taken = UInt(stream.count)
        // zlib cannot tell apart a stream that breaks off from one whose output has no room; with one byte more it can be told.
        let bytes = [UInt8](unsafeUninitializedCapacity: limit + 1) { output, count in
            var length = uLongf(limit + 1)
            status = uncompress2(output.baseAddress, &length, stream, &taken)
            count = Int(length)
        }
        guard bytes.count <= limit else { throw .tooLong }
        guard status == Z_OK, taken == UInt(stream.count) else { throw .damaged }
        return bytes
    }
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Glibc

/// The bytes that are on their way in one direction of a ``ProxiedConnection``, each with the time when it may go on.
struct ProxyFlow {
    private struct Chunk {
        let due: ContinuousClock.Instant
        var bytes: ArraySlice<UInt8>
    }

    /// What came of reading or writing.
    enum Outcome {
        /// As much as was possible.
        case done
        /// The other side is gone.
        case broken
    }

    /// Nothing more is read while so much waits, so that the kernel holds up whoever sends.
    private static let mostWaiting = 262_144
    private static let pieceSize = 32_768

    private var chunks: [Chunk] = []
    private var waiting = 0
    /// Whether whoever sends has said his last.
    private(set) var isAtEnd = false

    /// Whether more may be read for it.
    var wantsMore: Bool { !isAtEnd && waiting < Self.mostWaiting }
    /// Whether all has arrived that ever will.
    var isOver: Bool { isAtEnd && chunks.isEmpty }
    /// When the next byte may go on; nil without one.
    var due: ContinuousClock.Instant? { chunks.first?.due }

    /// Puts bytes on their way.
    mutating func add(_ bytes: [UInt8], due: ContinuousClock.Instant) {
        guard !bytes.isEmpty else { return }
        waiting += bytes.count
        chunks.append(Chunk(due: due, bytes: bytes[...]))
    }

    /// Reads what is there, up to a piece's size; nil if the connection is gone. An end is remembered.
    mutating func read(from descriptor: CInt) -> [UInt8]? {
        var count = 0
        let piece = [UInt8](unsafeUninitializedCapacity: Self.pieceSize) { buffer, size in
            count = recv(descriptor, buffer.baseAddress, buffer.count, CInt(MSG_DONTWAIT))
            size = max(0, count)
        }
        guard count >= 0 else { return errno == EAGAIN || errno == EINTR ? [] : nil }
        if count == 0 { isAtEnd = true }
        return piece
    }

    /// Writes what may go on by now.
    mutating func write(to descriptor: CInt, at now: ContinuousClock.Instant) -> Outcome {
        while let chunk = chunks.first, chunk.due <= now {
            let flags = CInt(MSG_DONTWAIT) | CInt(MSG_NOSIGNAL)
            let count = chunk.bytes.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, flags) }
            guard count >= 0 else { return errno == EAGAIN || errno == EINTR ? .done : .broken }
            waiting -= count
            chunks[0].bytes.removeFirst(count)
            if chunks[0].bytes.isEmpty { chunks.removeFirst() }
        }
        return .done
    }
}

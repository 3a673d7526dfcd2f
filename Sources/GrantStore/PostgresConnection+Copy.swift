// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import CLibPQ

extension PostgresConnection {
    /// Begins a `COPY … TO STDOUT`; ``copyLines(of:atMost:until:)`` gives its rows.
    func beginCopy(_ statement: Statement, until deadline: Deadline) throws(StoreError) {
        try send(statement, [], until: deadline)
        guard let result = try nextResult(of: statement, until: deadline) else { throw lost(during: statement) }
        guard result.status != PGRES_COPY_OUT else {
            isCopying = true
            return
        }
        let fault = failure(in: result, of: statement) ?? lost(during: statement)
        while try nextResult(of: statement, until: deadline) != nil {}
        throw fault
    }

    /// The next lines as they come, `limit` of them at most. After the last of all ``isCopying`` is false.
    func copyLines(
        of statement: Statement,
        atMost limit: Int,
        until deadline: Deadline
    ) throws(StoreError) -> CopiedLines {
        let handle = handle
        var lines = CopiedLines()
        for _ in 0..<limit {
            guard let line = try nextLine(handle, of: statement, until: deadline) else {
                try endCopy(statement, until: deadline)
                return lines
            }
            defer { PQfreemem(line.baseAddress) }
            line.withMemoryRebound(to: UInt8.self) { lines.append(UnsafeBufferPointer($0)) }
        }
        return lines
    }

    private func nextLine(
        _ handle: OpaquePointer,
        of statement: Statement,
        until deadline: Deadline
    ) throws(StoreError) -> UnsafeMutableBufferPointer<CChar>? {
        while true {
            var buffer: UnsafeMutablePointer<CChar>?
            lane.check()
            switch PQgetCopyData(handle, &buffer, 1) {
            case 0: try readMore(for: statement, until: deadline)
            case -1: return nil
            case -2: throw lost(during: statement)
            case let length: return UnsafeMutableBufferPointer(start: buffer, count: Int(length))
            }
        }
    }

    private func endCopy(_ statement: Statement, until deadline: Deadline) throws(StoreError) {
        isCopying = false
        var fault: StoreError?
        while let result = try nextResult(of: statement, until: deadline) {
            fault = fault ?? failure(in: result, of: statement)
        }
        if let fault { throw fault }
    }
}

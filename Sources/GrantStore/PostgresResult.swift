// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import CLibPQ

/// One result of libpq, cleared when it is let go. It never leaves the lane on which it was made.
final class PostgresResult {
    private let lane: PostgresLane
    private let pointer: OpaquePointer

    private var handle: OpaquePointer {
        lane.check()
        return pointer
    }

    /// Takes possession of what `PQgetResult` gave.
    init(owning pointer: OpaquePointer, on lane: PostgresLane) {
        self.pointer = pointer
        self.lane = lane
    }

    deinit {
        PQclear(handle)
    }

    /// What kind of result it is.
    var status: ExecStatusType { PQresultStatus(handle) }

    /// How many rows it has.
    var rowCount: Int { Int(PQntuples(handle)) }

    /// Hands each row to `read`, in order.
    func forEachRow(_ read: (PostgresRow) -> Void) {
        let handle = handle
        let columns = PQnfields(handle)
        var row = PostgresRow()
        for number in 0..<PQntuples(handle) {
            row.fill((0..<columns).lazy.map { Self.field(handle, number, $0) })
            read(row)
        }
    }

    /// What `read` makes of each row; a row of which it makes nil is left out.
    func rows<Value>(_ read: (PostgresRow) -> Value?) -> [Value] {
        var values: [Value] = []
        values.reserveCapacity(rowCount)
        forEachRow { row in
            if let value = read(row) { values.append(value) }
        }
        return values
    }

    /// What `read` makes of each row; a row of which it makes nil is left out. It is given a row with the first fields, and what takes
    /// the others.
    func accountRows<Value>(_ read: (inout PostgresRow, FieldsLeft) -> Value?) -> [Value] {
        let handle = handle
        let columns = PQnfields(handle)
        let head = min(CInt(AccountReader.head), columns)
        var values: [Value] = []
        values.reserveCapacity(rowCount)
        var row = PostgresRow()
        for number in 0..<PQntuples(handle) {
            row.fill((0..<head).lazy.map { Self.field(handle, number, $0) })
            let value = read(&row) { row in
                row.append((head..<columns).lazy.map { Self.field(handle, number, $0) })
            }
            if let value { values.append(value) }
        }
        return values
    }

    /// What the server said, where the result is an error that the server reported.
    var report: ServerReport? {
        guard let sqlState = diagnostic("C") else { return nil }
        return ServerReport(
            sqlState: sqlState,
            message: diagnostic("M") ?? "",
            constraint: diagnostic("n"),
            isRaisedInFunction: diagnostic("W")?.isEmpty == false
        )
    }

    /// A field of an error message by its code (`PG_DIAG_…` in postgres_ext.h; the macros are characters, which Swift
    /// does not import).
    private func diagnostic(_ code: Unicode.Scalar) -> String? {
        PQresultErrorField(handle, CInt(code.value)).map { String(cString: $0) }
    }

    private static func field(_ handle: OpaquePointer, _ row: CInt, _ column: CInt) -> UnsafeBufferPointer<UInt8>? {
        guard PQgetisnull(handle, row, column) == 0, let value = PQgetvalue(handle, row, column) else { return nil }
        let length = Int(PQgetlength(handle, row, column))
        return UnsafeBufferPointer(
            start: UnsafeRawPointer(value).assumingMemoryBound(to: UInt8.self),
            count: length
        )
    }
}

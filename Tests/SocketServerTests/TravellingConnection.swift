// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import NIOCore
import NIOEmbedded
import TestSupport
import TokenCore

@testable import SocketServer

/// A connection that is answered by the short way, and goes to the general one and back as a real one does, without a
/// descriptor.
struct TravellingConnection {
    private final class Return {
        var hasHappened = false
    }

    private(set) var answers = ""
    private let board: BoardDouble
    private let caller: Caller
    private let access: AccessRules
    private let usesShortWay: Bool
    private let audit: TokenAudit
    /// Nil where every request goes the general way.
    private let way: ShortWay?
    private var general: EmbeddedConnection?
    private var goingBack = Return()
    private var hasEnded = false

    init(
        board: BoardDouble,
        caller: Caller = .root,
        access: AccessRules = AccessRules(ownUser: 1000),
        usesShortWay: Bool,
        audit: TokenAudit = .silent
    ) throws {
        self.board = board
        self.caller = caller
        self.access = access
        self.usesShortWay = usesShortWay
        self.audit = audit
        way = usesShortWay ? ShortWay(EmbeddedConnection.service(board, access, audit: audit)) : nil
        if !usesShortWay { try goToGeneralWay(with: ByteBuffer()) }
    }

    var isOnGeneralWay: Bool { general != nil }
    var isOpen: Bool { general.map(\.channel.isActive) ?? !hasEnded }

    mutating func send(_ bytes: ArraySlice<UInt8>) throws {
        if let general {
            if general.channel.isActive { try general.send(bytes) }
        } else if let way {
            var output = ByteBuffer()
            let taken = bytes.withUnsafeBytes { way.answer($0, from: caller, at: .newYear, into: &output) }
            answers += String(buffer: output)
            if taken < bytes.count { try goToGeneralWay(with: ByteBuffer(bytes: bytes.dropFirst(taken))) }
        }
        try collect()
    }

    mutating func endInput() throws {
        if let general {
            if general.channel.isActive { general.endInput() }
            try collect()
        } else {
            hasEnded = true
        }
    }

    /// Lets every deadline pass: the longest wait, and the end of a connection on which nothing comes.
    mutating func letTimePass() throws {
        guard let general else { return }
        general.loop.advanceTime(by: .seconds(300))
        try collect()
    }

    private mutating func goToGeneralWay(with rest: ByteBuffer) throws {
        let goingBack = Return()
        self.goingBack = goingBack
        general = try EmbeddedConnection(
            board: board,
            caller: caller,
            access: access,
            usesShortWay: usesShortWay,
            audit: audit,
            received: rest
        ) { _ in
            goingBack.hasHappened = true
            return true
        }
        general?.loop.run()
    }

    private mutating func collect() throws {
        if let general { answers += try general.received() }
        guard goingBack.hasHappened, let left = general else { return }
        general = nil
        // As the real one does, whose descriptor lives on as a duplicate.
        left.channel.close(promise: nil)
        left.loop.run()
    }
}

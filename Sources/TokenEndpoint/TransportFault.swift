// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import TokenCore

/// A call that gave no reply, told by what the libraries below throw.
///
/// What matters most is whether the request was sent: before that, nothing can have happened at the endpoint.
struct TransportFault: Error {
    private let error: any Error
    private let wasSent: Bool
    private let bareReply: TokenReply?

    /// Takes the error and what became of the request.
    init(_ error: any Error, exchange: TokenExchange) {
        self.init(error, wasSent: exchange.wasSent, bareReply: exchange.bareReply)
    }

    /// Takes the error, whether the request was sent, and the head of the reply if one came.
    init(_ error: any Error, wasSent: Bool, bareReply: TokenReply? = nil) {
        self.error = error
        self.wasSent = wasSent
        self.bareReply = bareReply
    }

    /// What it means for the grant; `failedAt` is what a `Retry-After` in the head of the reply is counted from.
    func failure(for call: TokenCall, at failedAt: WallTime) -> RefreshFailure {
        // An error page may be as long as it likes: its status says enough.
        if error is ReplyTooLong, let bareReply, !(200..<300).contains(bareReply.status) {
            return EndpointError(bareReply, receivedAt: failedAt).failure(for: call)
        }
        return failure(calling: call.endpoint)
    }

    /// What it means of a call of that address, whatever was asked there.
    func failure(calling endpoint: String) -> RefreshFailure {
        if error is ReplyTooLong { return fault(.malformed, "the reply is longer than a token reply can be") }
        guard wasSent else { return beforeSending(to: endpoint) }
        // The parser takes an early end of the connection for its own affair.
        if let error = error as? HTTPParserError, error != .invalidEOFState {
            return fault(.malformed, "the reply is no HTTP")
        }
        return afterSending()
    }

    private func afterSending() -> RefreshFailure {
        switch error as? HTTPClientError {
        case .deadlineExceeded, .readTimeout, .writeTimeout:
            fault(.timeout, "no whole reply came before the deadline")
        default:
            fault(.connectionLost, "the connection broke before a whole reply\(detail)")
        }
    }

    /// What it means where nothing was sent yet to that address.
    func beforeSending(to endpoint: String) -> RefreshFailure {
        switch error {
        case let error as NIOConnectionError where error.connectionErrors.isEmpty && error.dnsFailed:
            return fault(.nameResolution, "the host of \(endpoint) could not be resolved")
        case let error as NIOConnectionError:
            let causes = error.connectionErrors.compactMap { $0.error as? IOError }.map(\.description)
            return fault(.connect, "\(endpoint) could not be reached" + Self.suffix(causes.first))
        case is NIOSSLError, is NIOSSLExtraError, is BoringSSLError:
            return fault(.tls, "TLS with \(endpoint) failed: \(tlsReason)")
        case let error as HTTPClientError where [.alreadyShutdown, .cancelled].contains(error):
            return fault(.connect, "the client is shutting down")
        case let error as HTTPClientError:
            return fault(.connect, "\(endpoint) could not be reached: \(error.shortDescription)")
        default:
            return fault(.connect, "\(endpoint) could not be reached\(detail)")
        }
    }

    private func fault(_ kind: RefreshFailure.Kind, _ text: String) -> RefreshFailure {
        RefreshFailure(kind, httpStatus: bareReply?.status, text: text)
    }

    /// The system's own words, where the fault is the system's.
    private var detail: String { Self.suffix((error as? IOError)?.description) }

    private static func suffix(_ detail: String?) -> String {
        detail.map { ": \(SafeText($0, toBytes: SafeText.quotationLimit))" } ?? ""
    }

    /// Why later calls should not use the client of this one any more; nil if they may.
    func reasonToRenew(sentAt: Moment) -> TrustedClients.Reason? {
        if wasSent { return error is ReplyTooLong || error is HTTPParserError ? nil : .lostReply(sentAt: sentAt) }
        return isUntrusted ? .untrusted : nil
    }

    /// Whether the other side's certificate was not to be trusted: other authorities might trust it. BoringSSL names a
    /// signature's fault, as of an authority with the same name, before what follows from it.
    private var isUntrusted: Bool {
        (error is NIOSSLError || error is BoringSSLError)
            && String(describing: error).contains("CERTIFICATE_VERIFY_FAILED")
    }

    /// BoringSSL's reason out of a text that also names its source files.
    private var tlsReason: String {
        let text = String(describing: error)
        if error is NIOSSLExtraError { return SafeText(text, toBytes: SafeText.quotationLimit).text }
        guard let reason = text.firstMatch(of: /OPENSSL_internal:([A-Z0-9_]+)/) else { return "the handshake failed" }
        return reason.1.lowercased().replacing("_", with: " ")
    }
}

extension NIOConnectionError {
    fileprivate var dnsFailed: Bool { dnsAError != nil || dnsAAAAError != nil }
}

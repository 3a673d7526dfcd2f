// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Crypto
import FoundationEssentials
import NIOSSL
import SwiftASN1
import X509

/// A certificate authority and its server certificates, made for one run: nothing that a client could come to trust for good.
struct SimulatorCertificates: Sendable {
    /// The authority's certificate, to be trusted by clients.
    let authorityPEM: String
    private let authority: Authority
    private let now: SimulatorInstant

    /// An authority that signs.
    private struct Authority: Sendable {
        let name: DistinguishedName
        let key = P256.Signing.PrivateKey()
    }

    /// Makes the authority, good from a day before `now` until thirty days after it.
    init(now: SimulatorInstant) throws {
        self.now = now
        self.authority = Authority(name: try DistinguishedName { CommonName("tastysim authority") })
        let certificate = try Validity(now: now).certificate(
            for: .init(authority.key.publicKey),
            named: authority.name,
            issuer: authority.name,
            extensions: Certificate.Extensions {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
                Critical(KeyUsage(keyCertSign: true, cRLSign: true))
            },
            signedBy: .init(authority.key)
        )
        self.authorityPEM = try certificate.serializeAsPEM().pemString + "\n"
    }

    /// What the server shows and signs with: a certificate for `localhost` and the loopback addresses, or one that is odd.
    func serverConfiguration(_ oddity: OddCertificate?) throws -> TLSConfiguration {
        let issuer =
            oddity == .unknownAuthority
            ? Authority(name: try DistinguishedName { CommonName("another authority") }) : authority
        let serverKey = P256.Signing.PrivateKey()
        let server = try Validity(now: now, oddity).certificate(
            for: .init(serverKey.publicKey),
            named: try DistinguishedName { CommonName("tastysim") },
            issuer: issuer.name,
            extensions: try Self.serverExtensions(oddity),
            signedBy: .init(issuer.key)
        )
        return try Self.configuration(server, serverKey)
    }

    private static func serverExtensions(_ oddity: OddCertificate?) throws -> Certificate.Extensions {
        let loopback: [GeneralName] = [
            .dnsName("localhost"),
            .ipAddress(ASN1OctetString(contentBytes: [127, 0, 0, 1])),
            .ipAddress(ASN1OctetString(contentBytes: ArraySlice([UInt8](repeating: 0, count: 15) + [1]))),
        ]
        return try Certificate.Extensions {
            Critical(BasicConstraints.notCertificateAuthority)
            Critical(KeyUsage(digitalSignature: true))
            try ExtendedKeyUsage([.serverAuth])
            SubjectAlternativeNames(oddity == .otherName ? [.dnsName("elsewhere.example")] : loopback)
        }
    }

    private static func configuration(
        _ certificate: Certificate,
        _ key: P256.Signing.PrivateKey
    ) throws -> TLSConfiguration {
        let pem = try certificate.serializeAsPEM().pemString
        let chain = try NIOSSLCertificate.fromPEMBytes(Array(pem.utf8)).map { NIOSSLCertificateSource.certificate($0) }
        let privateKey = try NIOSSLPrivateKey(bytes: Array(key.pemRepresentation.utf8), format: .pem)
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain,
            privateKey: .privateKey(privateKey)
        )
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["http/1.1"]
        return configuration
    }
}

extension SimulatorCertificates {
    /// From when until when certificates are good.
    private struct Validity {
        let start: Date
        let end: Date

        init(now: SimulatorInstant, _ oddity: OddCertificate? = nil) {
            let hour: Int64 = 3600
            let (from, until) =
                switch oddity {
                case .expired: (-23 * hour, -hour)
                case .notYetValid: (hour, 30 * 24 * hour)
                case .otherName, .unknownAuthority, nil: (-24 * hour, 30 * 24 * hour)
                }
            start = Date(timeIntervalSince1970: Double(now.seconds + from))
            end = Date(timeIntervalSince1970: Double(now.seconds + until))
        }

        func certificate(
            for key: Certificate.PublicKey,
            named subject: DistinguishedName,
            issuer: DistinguishedName,
            extensions: Certificate.Extensions,
            signedBy signer: Certificate.PrivateKey
        ) throws -> Certificate {
            try Certificate(
                version: .v3,
                serialNumber: .init(),
                publicKey: key,
                notValidBefore: start,
                notValidAfter: end,
                issuer: issuer,
                subject: subject,
                signatureAlgorithm: .ecdsaWithSHA256,
                extensions: extensions,
                issuerPrivateKey: signer
            )
        }
    }
}

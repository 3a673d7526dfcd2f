// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Crypto
import FoundationEssentials
import NIOSSL
import SwiftASN1
import X509

/// A certificate authority and a server certificate, made for one run: nothing that a client could come to trust for good.
struct SimulatorCertificates {
    /// The authority's certificate, to be trusted by clients.
    let authorityPEM: String
    /// What the server shows and signs with.
    let serverConfiguration: TLSConfiguration

    /// Makes both, good from a day before `now` until thirty days after it, for `localhost` and the loopback addresses.
    init(now: SimulatorInstant) throws {
        let authorityKey = P256.Signing.PrivateKey()
        let serverKey = P256.Signing.PrivateKey()
        let issuer = try DistinguishedName { CommonName("tastysim authority") }
        let validity = Validity(now: now)
        let authority = try validity.certificate(
            for: .init(authorityKey.publicKey),
            named: issuer,
            issuer: issuer,
            extensions: Certificate.Extensions {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
                Critical(KeyUsage(keyCertSign: true, cRLSign: true))
            },
            signedBy: .init(authorityKey)
        )
        let server = try validity.certificate(
            for: .init(serverKey.publicKey),
            named: try DistinguishedName { CommonName("tastysim") },
            issuer: issuer,
            extensions: try Self.serverExtensions(),
            signedBy: .init(authorityKey)
        )
        self.authorityPEM = try authority.serializeAsPEM().pemString + "\n"
        self.serverConfiguration = try Self.configuration(server, serverKey)
    }

    private static func serverExtensions() throws -> Certificate.Extensions {
        try Certificate.Extensions {
            Critical(BasicConstraints.notCertificateAuthority)
            Critical(KeyUsage(digitalSignature: true))
            try ExtendedKeyUsage([.serverAuth])
            SubjectAlternativeNames([
                .dnsName("localhost"),
                .ipAddress(ASN1OctetString(contentBytes: [127, 0, 0, 1])),
                .ipAddress(ASN1OctetString(contentBytes: ArraySlice([UInt8](repeating: 0, count: 15) + [1]))),
            ])
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

        init(now: SimulatorInstant) {
            start = Date(timeIntervalSince1970: Double(now.seconds - 86_400))
            end = Date(timeIntervalSince1970: Double(now.seconds + 30 * 86_400))
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

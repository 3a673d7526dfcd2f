// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Testing
import TokenCore

@testable import TokenCipher

@Suite struct RailsKeysTests {
    @Test(arguments: [
        (RailsVector.passwordA, RailsSettings.Digest.sha256, "65b8"), (RailsVector.passwordA, .sha1, "48fa"),
        (RailsVector.passwordB, .sha256, "ecf5"), (RailsVector.passwordD, .sha256, "0c2f"),
        (RailsVector.passwordD, .sha1, "a3f4"),
    ])
    func theIdIsActiveRecords(password: String, digest: RailsSettings.Digest, id: String) throws {
        #expect(try RailsColumns.with([password], digest: digest).sealingKeyID == id)
    }

    @Test func theLastOfSeveralKeysSeals() throws {
        let secret = Secret("token")
        let both = try RailsColumns.with([RailsVector.passwordB, RailsVector.passwordA])
        let newOnly = try RailsColumns.with([RailsVector.passwordA])
        let oldOnly = try RailsColumns.with([RailsVector.passwordB])
        let old = try oldOnly.seal(secret, at: .accessToken)
        #expect(newOnly.open(try both.seal(secret, at: .accessToken), at: .accessToken).secret == secret)
        #expect(newOnly.open(old, at: .accessToken).fault == .notAuthentic)
        let opened = both.open(old, at: .accessToken)
        #expect(opened == .sealed(secret, by: SealingKey(id: "ecf5", sealsNow: false)))
        #expect(both.wantsSealing(opened))
    }

    @Test func aKeyIsUsedAsTheTextItIs() throws {
        let hex = try RailsColumns.with(["00ff"]).sealingKeyID
        #expect(try RailsColumns.with(["00FF"]).sealingKeyID != hex)
        #expect(try RailsColumns.with(["00ff\n"]).sealingKeyID != hex)
    }

    /// Which takes long, and is never done for a value: what derives is not kept.
    @Test func eachPasswordIsDerivedOnceForEachDigest() throws {
        let settings = RailsSettings(
            primaryKeys: [Secret("old"), Secret("new")],
            deterministicKey: Secret("searched"),
            keyDerivationSalt: Secret("salt"),
            hashDigest: .sha1
        )
        var derived: [String] = []
        let keys = try RailsKeys(settings) { password, digest in
            derived.append("\(password.reveal()) \(digest)")
            let cipher = ColumnCipher(seal: { _, _, _ in nil }, open: { _, _ in nil })
            return RailsKey(id: password.reveal(), cipher: cipher, deterministicNonce: { $0 })
        }
        #expect(
            derived == ["new", "old", "searched"].map { "\($0) sha1" }
                + ["new", "old", "searched"].map { "\($0) sha256" }
        )
        #expect(keys.sealing(.random)?.id == "new" && keys.sealing(.deterministic)?.id == "searched")
    }

    @Test func whatIsMissingIsNamed() {
        func fault(_ keys: [String], deterministic: String? = nil, salt: String = "salt") -> RailsSettingsFault? {
            do {
                _ = try RailsColumns.with(keys, deterministicKey: deterministic, salt: salt)
                return nil
            } catch {
                return error as? RailsSettingsFault
            }
        }
        #expect(fault([]) == .noPrimaryKey)
        #expect(fault(["x", ""]) == .emptyPrimaryKey(2))
        #expect(fault(["x"], deterministic: "") == .emptyDeterministicKey)
        #expect(fault(["x"], salt: "") == .emptySalt)
        #expect(RailsSettingsFault.emptyPrimaryKey(2).description == "key 2 of encryption.rails.primaryKeys is empty")
    }
}

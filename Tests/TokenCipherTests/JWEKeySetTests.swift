// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Testing
import TokenCipher

@Suite struct JWEKeySetTests {
    @Test func readsKeysInTheirOrder() throws {
        let set = try JWEKeySet(Array(KeySetText.of([("b", 1), ("a", 2), ("c", 3)]).utf8))
        #expect(set.ids == ["b", "a", "c"])
    }

    @Test(arguments: [
        #""use":"enc","#, #""alg":"dir","#, #""alg":"A256GCM","#, #""key_ops":["encrypt","decrypt"],"#,
        #""x":{"y":[]},"#,
    ])
    func furtherMembersWill(members: String) throws {
        let text = #"{"more":1,"keys":[{\#(members)"kty":"oct","kid":"a","k":"\#(KeySetText.key(1))"}]}"#
        #expect(try JWEKeySet(Array(text.utf8)).ids == ["a"])
    }

    @Test(arguments: [
        ("", KeySetFault.notJSON), ("{", .notJSON), (#"{"keys":[],"keys":[]}"#, .notJSON), ("[]", .noList),
        ("{}", .noList),
        (#"{"keys":{}}"#, .noList), (#"{"kty":"oct"}"#, .noList), (#"{"keys":[]}"#, .empty),
        (#"{"keys":[KK,7]}"#, .key(2, .notAnObject)),
        (#"{"keys":[KK,{"kid":"b","k":"VV"}]}"#, .key(2, .noText("kty"))),
        (#"{"keys":[{"kty":"RSA","kid":"b","k":"VV"}]}"#, .key(1, .type)),
        (#"{"keys":[{"kty":"oct","k":"VV"}]}"#, .key(1, .noText("kid"))),
        (#"{"keys":[{"kty":"oct","kid":1,"k":"VV"}]}"#, .key(1, .noText("kid"))),
        (#"{"keys":[{"kty":"oct","kid":"","k":"VV"}]}"#, .key(1, .identifier)),
        (#"{"keys":[{"kty":"oct","kid":"a b","k":"VV"}]}"#, .key(1, .identifier)),
        (#"{"keys":[{"kty":"oct","kid":"é","k":"VV"}]}"#, .key(1, .identifier)),
        (#"{"keys":[KK,KK]}"#, .key(2, .sameIdentifier(as: 1))),
        (#"{"keys":[{"kty":"oct","kid":"b"}]}"#, .key(1, .noText("k"))),
        (#"{"keys":[{"kty":"oct","kid":"b","k":"VV="}]}"#, .key(1, .encoding)),
        (#"{"keys":[{"kty":"oct","kid":"b","k":"a+/b"}]}"#, .key(1, .encoding)),
        (#"{"keys":[{"kty":"oct","kid":"b","k":""}]}"#, .key(1, .length(0))),
        (#"{"keys":[{"kty":"oct","kid":"b","k":"AAAA"}]}"#, .key(1, .length(3))),
        (#"{"keys":[{"kty":"oct","kid":"b","use":"sig","k":"VV"}]}"#, .key(1, .purpose("use"))),
        (#"{"keys":[{"kty":"oct","kid":"b","alg":"A256KW","k":"VV"}]}"#, .key(1, .purpose("alg"))),
        (#"{"keys":[{"kty":"oct","kid":"b","key_ops":["decrypt"],"k":"VV"}]}"#, .key(1, .purpose("key_ops"))),
        (#"{"keys":[KK,{"kty":"oct","kid":"b","key_ops":["sign"],"k":"VV"}]}"#, .key(2, .purpose("key_ops"))),
    ])
    func whatIsWrongIsNamed(template: String, fault: KeySetFault) {
        let key = KeySetText.key(1)
        let text = template.replacing("KK", with: #"{"kty":"oct","kid":"a","k":"\#(key)"}"#).replacing("VV", with: key)
        #expect(throws: fault) { try JWEKeySet(Array(text.utf8)) }
        #expect(!fault.description.contains(key))
    }

    /// A key that may only open is of use behind one that seals.
    @Test func aKeyThatMayOnlyOpenCannotBeTheFirst() throws {
        let old = #"{"kty":"oct","kid":"b","key_ops":["decrypt"],"k":"\#(KeySetText.key(2))"}"#
        let text = #"{"keys":[{"kty":"oct","kid":"a","k":"\#(KeySetText.key(1))"},\#(old)]}"#
        #expect(try JWEKeySet(Array(text.utf8)).ids == ["a", "b"])
    }

    @Test func faultsReadAsSentences() {
        #expect(
            KeySetFault.key(2, .length(16)).description == "key 2 of the set has 16 bytes in its `k`; A256GCM needs 32"
        )
    }
}

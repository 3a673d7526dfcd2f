// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Testing
import TokenCore

@testable import GrantInspection

@Suite struct FindingTests {
    private static let all = FindingCatalogue.findings(InventedToken(), for: .ours, code: "Zm9vYmFy")

    @Test(arguments: FindingCode.allCases)
    func everyCodeHasAnExample(code: FindingCode) {
        #expect(Self.all.contains { $0.code == code })
    }

    @Test(arguments: FindingCode.allCases)
    func codesAreInSnakeCase(code: FindingCode) {
        #expect(code.rawValue.allSatisfy { $0 == "_" || ($0.isASCII && $0.isLowercase) })
    }

    @Test func everyFindingIsInSentencesAndSaysWhatToDo() {
        for finding in Self.all {
            for text in [finding.problem, finding.remedy] {
                #expect(
                    text.last == "." && !text.contains("  ") && !text.contains("nil") && !text.contains("Optional"),
                    "\(text)"
                )
                #expect(text.utf8.count > 10 && text.utf8.count <= SafeText.remarkLimit, "\(text)")
            }
        }
    }

    @Test func aLineHasWeightCodeProblemAndRemedy() {
        let finding = Finding(.tokenEmpty, "There is no value.", remedy: "Paste one.")
        #expect(finding.description == "fault token_empty: There is no value. Paste one.")
    }

    @Test func theHeaviestComesFirst() {
        let findings = [FindingCode.trimmedSpace, .notAJWT, .tokenEmpty, .tokenDamaged, .tokenBroken, .trimmedBearer]
            .map { Finding($0, "x.", remedy: "y.") }
        #expect(
            findings.bySeverity.map(\.code)
                == [.tokenEmpty, .tokenBroken, .notAJWT, .tokenDamaged, .trimmedSpace, .trimmedBearer]
        )
        #expect(findings.worst == .fault)
        #expect([Finding]().worst == nil)
    }
}

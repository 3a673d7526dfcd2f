// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import Testing

@testable import WebPages

/// The colours of the pages against each other (WCAG 2.2, 1.4.3 and 1.4.11).
@Suite struct StyleTests {
    private let style = String(decoding: PackageResources.pages_css, as: UTF8.self)

    @Test(arguments: [false, true])
    func textCanBeReadAndEdgesBeSeen(isDark: Bool) throws {
        let colours = try #require(palettes.count == 2 ? palettes[isDark ? 1 : 0] : nil)
        let pairs: [(String, [String], Double)] = [
            ("ink", ["paper", "sheet", "tint", "bad-tint", "good-tint"], 4.5), ("soft", ["paper", "sheet"], 4.5),
            ("accent", ["paper", "sheet", "tint", "good-tint"], 4.5), ("on-accent", ["accent"], 4.5),
            ("good", ["paper"], 4.5), ("warn", ["paper"], 4.5), ("bad", ["paper", "sheet"], 4.5),
            ("edge", ["paper", "sheet"], 3),
        ]
        for (front, backs, least) in pairs {
            for back in backs {
                let contrast = try contrast(#require(colours[front]), #require(colours[back]))
                #expect(contrast >= least, "\(front) on \(back): \(contrast)")
            }
        }
    }

    /// Colours stand in the two palettes and nowhere else.
    @Test func coloursAreOfThePalette() {
        #expect(style.matches(of: /#[0-9a-f]{6}/).count == palettes.map(\.count).reduce(0, +))
        #expect(!style.contains("url(") && !style.contains("@import"))
    }

    private var palettes: [[String: UInt32]] {
        style.matches(of: /:root \{([^}]*)\}/).map { block in
            Dictionary(
                block.1.matches(of: /--([a-z-]+): #([0-9a-f]{6})/).map { (String($0.1), UInt32($0.2, radix: 16) ?? 0) },
                uniquingKeysWith: { $1 }
            )
        }
    }

    private func contrast(_ left: UInt32, _ right: UInt32) -> Double {
        let (one, other) = (luminance(left), luminance(right))
        return (max(one, other) + 0.05) / (min(one, other) + 0.05)
    }

    private func luminance(_ colour: UInt32) -> Double {
        let parts = [16, 8, 0].map { Double(colour >> UInt32($0) & 255) / 255 }
        let linear = parts.map { $0 <= 0.04045 ? $0 / 12.92 : power(($0 + 0.055) / 1.055) }
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    }

    /// `base` to the power of 2.4, by Newton's way to the fifth root of its twelfth power.
    private func power(_ base: Double) -> Double {
        let twelfth = (0..<12).reduce(1.0) { product, _ in product * base }
        var root = 1.0
        for _ in 0..<200 { root -= (root - twelfth / (root * root * root * root)) / 5 }
        return root
    }
}

// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import PackageDescription

// The socket's two ways, and the readers of sealed columns, under libFuzzer: `scripts/fuzz` builds and runs it. A package of its
// own, because libFuzzer wants every module built with its counters. The folders are links to the real ones; versions and settings are those of the
// package above.
let package = Package(
    name: "tastytokend-fuzzing",
    dependencies: [
        .package(url: "https://github.com/apple/swift-collections.git", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-metrics.git", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.0"),
    ],
    targets: [
        // libFuzzer's entrance, which comes with the toolchain.
        .systemLibrary(name: "CFuzzer"),
        .systemLibrary(name: "CLinux"),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib"),
        .target(name: "TokenCore", dependencies: [.product(name: "HeapModule", package: "swift-collections")]),
        .target(name: "SocketAPI"),
        .target(
            name: "SocketServer",
            dependencies: [
                "CLinux",
                "SocketAPI",
                "TokenCore",
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            // It takes swift-crypto, whose build takes longer than all of this; tokens come from `BareRenderer`.
            exclude: ["TokenReplyRenderer.swift"]
        ),
        .target(
            name: "MetricsText",
            dependencies: ["TokenCore", .product(name: "CoreMetrics", package: "swift-metrics")]
        ),
        .target(
            name: "TokenCipher",
            dependencies: ["CZlib", "TokenCore"],
            // They take swift-crypto. No chance gets past a real cipher anyway; `ColumnLaws` has one that lets most through.
            exclude: [
                "CipherKey.swift", "ColumnCipher+AES.swift", "LocalSeal+AES.swift", "LockedBytes+AES.swift",
                "MemorySeal+AES.swift", "RailsKeys+Derivation.swift", "SecretHash+SHA256.swift",
            ]
        ),
        .target(name: "TestSupport", dependencies: ["TokenCore"]),
        .executableTarget(name: "ColumnFuzzer", dependencies: ["CFuzzer", "TokenCipher", "TokenCore"]),
        .executableTarget(
            name: "RequestFuzzer",
            dependencies: [
                "CFuzzer", "MetricsText", "SocketServer", "TestSupport", "TokenCore",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
            ]
        ),
    ]
)

for target in package.targets where target.type != .system {
    target.swiftSettings = [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
        .treatAllWarnings(as: .error),
    ]
}

// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import PackageDescription

// The modules that share memory between threads, with their tests, once more: `scripts/test` builds them with the thread
// sanitizer. A package of its own, because the sanitizer wants every dependency built again. The folders are links to the
// real ones; versions and settings are those of the package above.
let package = Package(
    name: "tastytokend-thread-sanitizer",
    dependencies: [
        .package(url: "https://github.com/apple/swift-asn1.git", from: "1.7.0"),
        .package(url: "https://github.com/apple/swift-certificates.git", from: "1.21.0"),
        .package(url: "https://github.com/apple/swift-collections.git", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-crypto.git", from: "4.5.0"),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-metrics.git", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl.git", from: "2.37.0"),
        .package(url: "https://github.com/swift-server/async-http-client.git", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.13.0"),
    ],
    targets: [
        .systemLibrary(name: "CLibPQ", pkgConfig: "libpq"),
        .systemLibrary(name: "CLinux"),
        .systemLibrary(name: "CSystemd", pkgConfig: "libsystemd"),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib"),
        .target(name: "TokenCore", dependencies: [.product(name: "HeapModule", package: "swift-collections")]),
        .target(
            name: "RefreshEngine",
            dependencies: [
                "TokenCore",
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]
        ),
        .target(
            name: "GrantStore",
            dependencies: ["CLibPQ", "TokenCore", .product(name: "Logging", package: "swift-log")],
            resources: [.embedInCode("Migrations")]
        ),
        .target(
            name: "TokenCipher",
            dependencies: [
                "CZlib",
                "TokenCore",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "CryptoExtras", package: "swift-crypto"),
            ]
        ),
        .target(name: "ReplyJournal", dependencies: ["TokenCore"]),
        .target(
            name: "HostSystemd",
            dependencies: ["CSystemd", "TokenCore", .product(name: "Logging", package: "swift-log")]
        ),
        .target(name: "GrantInspection", dependencies: ["TokenCore"]),
        .target(
            name: "Enrollment",
            dependencies: [
                "GrantInspection", "SocketAPI", "TokenCore", .product(name: "Logging", package: "swift-log"),
            ]
        ),
        .target(name: "SocketAPI"),
        .target(
            name: "SocketServer",
            dependencies: [
                "CLinux",
                "SocketAPI",
                "TokenCore",
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ]
        ),
        .target(
            name: "MetricsText",
            dependencies: ["TokenCore", .product(name: "CoreMetrics", package: "swift-metrics")]
        ),
        .target(
            name: "TokenEndpoint",
            dependencies: [
                "TokenCore",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "NIOTLS", package: "swift-nio"),
            ]
        ),
        .target(
            name: "TokenSimulator",
            dependencies: [
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "SwiftASN1", package: "swift-asn1"),
                .product(name: "X509", package: "swift-certificates"),
            ]
        ),
        // Makes the locks of Swift's Mutex visible to the sanitizer.
        .target(name: "MutexUnderSanitizer"),
        .target(name: "TestSupport", dependencies: ["MutexUnderSanitizer", "TokenCore"]),
        .testTarget(name: "TokenCoreTests", dependencies: ["TestSupport", "TokenCore"]),
        .testTarget(
            name: "RefreshEngineTests",
            dependencies: [
                "MetricsText", "RefreshEngine", "TestSupport", "TokenCore",
                .product(name: "InMemoryLogging", package: "swift-log"),
                .product(name: "Logging", package: "swift-log"),
            ]
        ),
        .testTarget(
            name: "GrantStoreTests",
            dependencies: [
                "GrantStore", "TestSupport", "TokenCipher", "TokenCore",
                .product(name: "InMemoryLogging", package: "swift-log"),
                .product(name: "Logging", package: "swift-log"),
            ]
        ),
        .testTarget(
            name: "HostSystemdTests",
            dependencies: ["HostSystemd", "TestSupport", "TokenCore", .product(name: "Logging", package: "swift-log")]
        ),
        .testTarget(
            name: "MetricsTextTests",
            dependencies: ["MetricsText", "TokenCore", .product(name: "CoreMetrics", package: "swift-metrics")]
        ),
        .testTarget(name: "GrantInspectionTests", dependencies: ["GrantInspection", "TestSupport", "TokenCore"]),
        .testTarget(
            name: "EnrollmentTests",
            dependencies: [
                "Enrollment", "TestSupport", "TokenCore",
                .product(name: "InMemoryLogging", package: "swift-log"),
                .product(name: "Logging", package: "swift-log"),
            ]
        ),
        .testTarget(name: "SocketAPITests", dependencies: ["SocketAPI"]),
        .testTarget(
            name: "ReplyJournalTests",
            dependencies: ["ReplyJournal", "TestSupport", "TokenCipher", "TokenCore"]
        ),
        .testTarget(
            name: "TokenEndpointTests",
            dependencies: [
                "TestSupport", "TokenCore", "TokenEndpoint", "TokenSimulator",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ]
        ),
        .testTarget(
            name: "TokenSimulatorTests",
            dependencies: [
                "TestSupport", "TokenSimulator",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ],
            // About the program's help and the documents, which are not here.
            exclude: ["SimulatorDocumentTests.swift"]
        ),
        .testTarget(
            name: "SocketServerTests",
            dependencies: [
                "CLinux", "MetricsText", "SocketAPI", "SocketServer", "TestSupport", "TokenCore",
                .product(name: "InMemoryLogging", package: "swift-log"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
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
        .define("UNDER_SANITIZER"),
    ]
}

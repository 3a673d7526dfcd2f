// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import PackageDescription

// Targets stand in the order in which data moves through the daemon: C modules and TokenCore first, then the engine
// and the adapters, then the composition root, then the executables.
let package = Package(
    name: "tastytokend",
    products: [
        .executable(name: "tastytokend", targets: ["tastytokend"]),
        .executable(name: "tastytoken", targets: ["tastytoken"]),
        .executable(name: "tastysim", targets: ["tastysim"]),
        .library(name: "TokenSimulator", targets: ["TokenSimulator"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-asn1.git", from: "1.7.0"),
        .package(url: "https://github.com/apple/swift-certificates.git", from: "1.21.0"),
        .package(url: "https://github.com/apple/swift-collections.git", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-configuration.git", from: "1.4.0", traits: []),
        .package(url: "https://github.com/apple/swift-crypto.git", from: "4.5.0"),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-metrics.git", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl.git", from: "2.37.0"),
        // Without traits it reads no configuration and no whole Foundation.
        .package(url: "https://github.com/hummingbird-project/hummingbird.git", from: "2.28.1", traits: []),
        .package(url: "https://github.com/hummingbird-project/swift-mustache.git", from: "2.1.1"),
        .package(url: "https://github.com/jpsim/Yams.git", from: "6.2.0"),
        .package(url: "https://github.com/swift-server/async-http-client.git", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.13.0"),
    ],
    targets: [
        .systemLibrary(name: "CLibPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CLinux"),
        .systemLibrary(name: "CSystemd", pkgConfig: "libsystemd", providers: [.apt(["libsystemd-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),

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
            name: "WebPages",
            dependencies: [
                "GrantInspection", "SocketAPI", "TokenCore",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Mustache", package: "swift-mustache"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            resources: [.embedInCode("Templates"), .embedInCode("Styles")]
        ),
        .target(
            name: "MetricsText",
            dependencies: ["TokenCore", .product(name: "CoreMetrics", package: "swift-metrics")]
        ),
        .target(
            name: "HostSystemd",
            dependencies: ["CSystemd", "TokenCore", .product(name: "Logging", package: "swift-log")]
        ),
        .target(
            name: "TokenDaemon",
            dependencies: [
                "CLinux",
                "Enrollment",
                "GrantInspection",
                "GrantStore",
                "HostSystemd",
                "MetricsText",
                "RefreshEngine",
                "ReplyJournal",
                "SocketAPI",
                "SocketServer",
                "TokenCipher",
                "TokenCore",
                "TokenEndpoint",
                "WebPages",
                "Yams",
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ]
        ),
        .executableTarget(
            name: "tastytokend",
            dependencies: [
                "SocketAPI", "TokenDaemon", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]
        ),
        .executableTarget(
            name: "tastytoken",
            dependencies: [
                "CLinux", "SocketAPI", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            // A script starts it once for every call, and the dynamic linker would take longer than all else it does.
            // The libraries are those that Foundation's static one needs.
            linkerSettings: [
                .unsafeFlags(
                    [
                        "-static-executable", "-l_FoundationCollections", "-l_FoundationCShims",
                        "-lswiftSynchronization",
                    ],
                    .when(platforms: [.linux], configuration: .release)
                )
            ]
        ),
        // Measures the socket alone; here and not in Benchmarks, since it uses what only this package may.
        .executableTarget(
            name: "socket-bench-server",
            dependencies: [
                "MetricsText", "SocketServer", "TokenCore", .product(name: "Logging", package: "swift-log"),
            ],
            path: "Benchmarks/SocketBenchServer"
        ),
        .executableTarget(
            name: "column-bench",
            dependencies: ["TokenCipher", "TokenCore"],
            path: "Benchmarks/ColumnBench"
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
        .executableTarget(
            name: "tastysim",
            dependencies: [
                "TokenSimulator",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]
        ),

        .target(name: "TestSupport", dependencies: ["TokenCore"], path: "Tests/TestSupport"),
        // Lets programs of others read what we seal, and the other way round (scripts/test-jose).
        .executableTarget(
            name: "column-probe",
            dependencies: ["TokenCipher", "TokenCore"],
            path: "Tests/ColumnProbe"
        ),
        // Three daemons while everything goes wrong around them (scripts/chaos). It needs the programs beside it.
        .executableTarget(
            name: "chaos",
            dependencies: [
                "TestSupport", "TokenSimulator", "tastytokend",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Tests/ChaosRun"
        ),
        .testTarget(name: "ChaosRunTests", dependencies: ["TestSupport", "TokenSimulator", "chaos"]),
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
            name: "TokenCipherTests",
            dependencies: ["TokenCipher", "TokenCore", .product(name: "Crypto", package: "swift-crypto")],
            resources: [.embedInCode("rails-vectors.json")]
        ),
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
        .testTarget(
            name: "WebPagesTests",
            dependencies: [
                "GrantInspection", "SocketAPI", "TestSupport", "TokenCore", "WebPages",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdTesting", package: "hummingbird"),
                .product(name: "InMemoryLogging", package: "swift-log"),
                .product(name: "Logging", package: "swift-log"),
            ]
        ),
        .testTarget(
            name: "MetricsTextTests",
            dependencies: ["MetricsText", "TokenCore", .product(name: "CoreMetrics", package: "swift-metrics")]
        ),
        .testTarget(
            name: "HostSystemdTests",
            dependencies: ["HostSystemd", "TestSupport", "TokenCore", .product(name: "Logging", package: "swift-log")]
        ),
        .testTarget(
            name: "TokenDaemonTests",
            dependencies: [
                "GrantInspection", "GrantStore", "HostSystemd", "RefreshEngine", "TestSupport", "TokenCipher",
                "TokenCore",
                "TokenDaemon",
                "Yams",
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "Logging", package: "swift-log"),
            ]
        ),
        .testTarget(
            name: "TokenSimulatorTests",
            dependencies: [
                "TestSupport", "TokenSimulator", "tastysim",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ]
        ),
        .testTarget(
            name: "tastytokenTests",
            dependencies: [
                "GrantInspection", "SocketAPI", "SocketServer", "TestSupport", "TokenCore", "tastytoken",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ]
        ),
        .testTarget(
            name: "EndToEndTests",
            dependencies: [
                "TestSupport", "TokenCipher", "TokenCore", "TokenSimulator", "tastysim", "tastytoken", "tastytokend",
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

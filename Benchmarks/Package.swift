// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

import PackageDescription

// The load generator stands apart from the daemon's package: it knows only the wire, and needs only libc.
let package = Package(
    name: "benchmarks",
    targets: [
        .systemLibrary(name: "CEpoll", path: "CEpoll"),
        .executableTarget(name: "bare-server", path: "BareServer"),
        .executableTarget(
            name: "loadgen",
            dependencies: ["CEpoll"],
            path: "LoadGenerator",
            swiftSettings: [
                .enableUpcomingFeature("ExistentialAny"),
                .enableUpcomingFeature("InternalImportsByDefault"),
                .enableUpcomingFeature("MemberImportVisibility"),
                .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
                .treatAllWarnings(as: .error),
            ]
        ),
    ]
)

// swift-tools-version: 6.2
import PackageDescription

// The house, ground floor last in reading order (docs: ARCHITECTURE.md). A target imports only from lower rows:
//
//   binary      appliance
//   roles       Director   FileDaemon   StorageDaemon            never each other, never a driver
//   services    Catalog    Console    VolumeTools
//   modules     Plugins/DiskRepository
//   contracts   Modules
//   media       Volumes
//   network     Wire
//   ground      Configuration   Platform   C shims
//
// `make check` builds with --explicit-target-dependency-import-check error, so that this list is the law.

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("ExistentialAny"),
]

let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let collections: Target.Dependency = .product(name: "Collections", package: "swift-collections")

/// One of our own Swift targets under Sources/, with the house's settings.
func room(_ name: String, path: String? = nil, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, path: path ?? "Sources/\(name)", swiftSettings: strict)
}

/// The tests of one target, under Tests/<Target>Tests; `fixtures`: with a folder of files that they read by path.
func tests(_ name: String, fixtures: Bool = false, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(
        name: "\(name)Tests", dependencies: [.init(stringLiteral: name), "TestSupport"] + dependencies,
        path: "Tests/\(name)Tests", exclude: fixtures ? ["Fixtures"] : [], swiftSettings: strict)
}

let package = Package(
    name: "appliance",
    products: [.executable(name: "appliance", targets: ["appliance"])],
    traits: [
        .trait(name: "LZO", description: "Read and write LZO streams (needs liblzo2-dev).")
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    ],
    targets: [
        // ground
        .target(name: "CSystem", path: "Sources/CSystem"),
        .systemLibrary(name: "COpenSSL", path: "Sources/COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CZstd", path: "Sources/CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
        .systemLibrary(name: "CZlib", path: "Sources/CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CSQLite", path: "Sources/CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
        .target(name: "CChecksum", path: "Sources/CChecksum"),
        room("Platform", ["CSystem", "COpenSSL", logging]),
        room("Configuration", ["Platform"]),
        // network
        room("Wire", ["Platform", "Configuration", "COpenSSL", logging]),
        // media
        room("Volumes", ["Platform", "CChecksum", "CZlib"]),
        // contracts
        room("Modules", ["Platform", "Configuration", "Volumes"]),
        // modules
        room("DiskRepository", path: "Plugins/DiskRepository", ["Platform", "Configuration", "Volumes", "Modules"]),
        // services
        room("VolumeTools", ["Platform", "Volumes", "Modules"]),
        room("Catalog", ["Platform", "Volumes", "CSQLite", .product(name: "GRDB", package: "GRDB.swift")]),
        room("Console", ["Platform", "Configuration", "Wire"]),
        // roles
        room("Director", ["Platform", "Configuration", "Wire", "Volumes", "Modules", "Catalog", logging, collections]),
        room("FileDaemon", ["Platform", "Configuration", "Wire", "Volumes", "Modules", "CZlib", "CZstd", logging, collections]),
        room("StorageDaemon", ["Platform", "Configuration", "Wire", "Volumes", "Modules", logging, collections]),
        // binary
        .executableTarget(
            name: "appliance",
            dependencies: [
                "Platform", "Configuration", "Wire", "Volumes", "Modules", "DiskRepository", "Catalog", "Console", "VolumeTools",
                "Director", "FileDaemon", "StorageDaemon", logging,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Sources/appliance", swiftSettings: strict),
        // benchmarks
        .executableTarget(
            name: "volume-throughput", dependencies: ["Volumes", "Modules", "DiskRepository"], path: "Benchmarks/VolumeThroughput",
            swiftSettings: strict),
        .executableTarget(
            name: "wire-throughput", dependencies: ["Platform", "Configuration", "Wire"], path: "Benchmarks/WireThroughput",
            swiftSettings: strict),
        .executableTarget(
            name: "catalog-benchmark", dependencies: ["Platform", "Volumes", "Catalog"], path: "Benchmarks/CatalogBenchmark",
            swiftSettings: strict),
        // tests
        room("TestSupport", path: "Tests/TestSupport", ["Platform", "Volumes", "Modules"]),
        tests("Platform", []),
        tests("Configuration", fixtures: true, ["Platform"]),
        tests("Wire", ["Platform", "Configuration"]),
        tests("Volumes", fixtures: true, ["Platform", "Modules", "DiskRepository", "VolumeTools"]),
        tests("DiskRepository", ["Platform", "Configuration", "Volumes", "Modules"]),
        tests("Catalog", fixtures: true, ["Platform", "Volumes", .product(name: "GRDB", package: "GRDB.swift")]),
        tests("Console", ["Platform", "Configuration", "Wire"]),
        tests("Director", ["Platform", "Configuration", "Wire", "Volumes", "Modules", "Catalog"]),
        tests("FileDaemon", ["Platform", "Configuration", "Wire", "Volumes", "Modules"]),
        tests("StorageDaemon", ["Platform", "Configuration", "Wire", "Volumes", "Modules", "DiskRepository"]),
        .testTarget(
            name: "EndToEndTests", dependencies: ["TestSupport", "Platform", "Configuration", "FileDaemon", "Volumes", "Wire"],
            path: "Tests/EndToEndTests", swiftSettings: strict),
    ]
)

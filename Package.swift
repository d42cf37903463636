// swift-tools-version: 6.2
import PackageDescription

// One array of settings for all Swift targets (reasons: ARCHITECTURE.md, "Language settings").
let settings: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .treatAllWarnings(as: .error),
]

/// A library target of ours in `Sources/<name>`.
func library(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

/// The tests of one module, in `Tests/<name>Tests`; they read what lies in `Fixtures` themselves.
func tests(
  _ name: String, _ dependencies: [Target.Dependency] = [], hasFixtures: Bool = false
) -> Target {
  .testTarget(
    name: "\(name)Tests", dependencies: [.byName(name: name)] + dependencies,
    exclude: hasFixtures ? ["Fixtures"] : [], swiftSettings: settings)
}

/// A C library of Debian, found through pkg-config.
func system(_ name: String, _ pkgConfig: String, _ package: String) -> Target {
  .systemLibrary(name: name, pkgConfig: pkgConfig, providers: [.apt([package])])
}

let package = Package(
  name: "omtask",
  products: [
    .executable(name: "omtask", targets: ["omtask"]),
    // for programs with tasks of their own (docs/swift-tasks.md): the engine, and what tasks see
    .library(
      name: "OMTaskKit", targets: ["OMJSON", "OMGrid", "OMManifest", "OMTask", "OMCommands"]),
    // for the tests of such programs: whether a result depends on how the work was cut
    .library(name: "OMTaskTesting", targets: ["OMTaskTesting"]),
    // the tasks of this program, to be offered beside others
    .library(name: "OMTasks", targets: ["OMTasks"]),
    // turns the manifests of such a package into Swift
    .plugin(name: "ManifestPlugin", targets: ["ManifestPlugin"]),
    // for the package in Fuzz/, which links it with libFuzzer
    .library(name: "FuzzTargets", targets: ["FuzzTargets"]),
  ],
  traits: [
    .default(enabledTraits: ["MPI"]),
    .trait(name: "MPI", description: "Run on several ranks with MPI."),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0")
  ],
  targets: [
    // C libraries and the two small C targets of ours
    system("CBlosc", "blosc", "libblosc-dev"),
    system("CZstd", "libzstd", "libzstd-dev"),
    system("CZlib", "zlib", "zlib1g-dev"),
    system("CPNG", "libpng", "libpng-dev"),
    // GNU system calls that Glibc's overlay hides
    .target(name: "CSys"),
    // HTTP through libcurl, which is loaded at run time
    .target(name: "CCurl"),
    // TIFF through libtiff, which is loaded at run time
    .target(name: "CTIFF"),
    // MPI of any make, loaded at run time; without the trait none is looked for
    .target(name: "CMPI", cSettings: [.define("OM_WITH_MPI", .when(traits: ["MPI"]))]),

    // The walk of a pixel, bottom up: each module may import those above it in this list
    // JSON as an ordered tree, and the one error type
    library("OMJSON"),
    // arithmetic of boxes, chunk grids, data types and partitions; no I/O
    library("OMGrid", ["OMJSON"]),
    // bytes by key
    library("OMStore", ["OMJSON", "CSys", "CZlib", "CCurl"]),
    // chunk bytes to voxels and back
    library("OMCodecs", ["OMJSON", "OMGrid", "CSys", "CBlosc", "CZstd", "CZlib"]),
    // Zarr v2 and v3 arrays and groups
    library("OMZarr", ["OMJSON", "OMGrid", "OMStore", "OMCodecs"]),
    // images in TIFF files: pages, OME-XML, naming patterns
    library("OMTiff", ["OMJSON", "OMGrid", "OMStore", "CTIFF"]),
    // OME-Zarr: multiscales, labels, plates, wells
    library("OMImage", ["OMJSON", "OMGrid", "OMStore", "OMCodecs", "OMZarr", "OMTiff"]),
    // the rules of OME-Zarr by name, and what breaks them
    library("OMValidate", ["OMJSON", "OMStore", "OMZarr", "OMImage"]),
    // manifests, args schemas, bound parameters
    library("OMManifest", ["OMJSON"]),
    // what the author of a task sees
    library("OMTask", ["OMJSON", "OMGrid", "OMManifest"]),
    // tables as ngio stores them: AnnData, CSV and JSON
    library(
      "OMTables", ["OMJSON", "OMGrid", "OMStore", "OMCodecs", "OMZarr", "OMImage", "OMTask"]),
    // tasks that are not built in: child processes and the lines they speak
    library("OMExternal", ["OMJSON", "OMGrid", "OMManifest", "OMTask", "CSys"]),
    // connected components that cross regions and ranks; no I/O
    library("OMObjects", ["OMJSON", "OMGrid"]),
    // plans, engines, pyramids and the commit
    library(
      "OMRun",
      [
        "OMJSON", "OMGrid", "OMStore", "OMCodecs", "OMZarr", "OMImage", "OMManifest", "OMTask",
        "OMTables", "OMObjects", "CSys",
      ]),
    // tasks and kernels tried in random pieces, for authors and for `omtask manifest test`
    library(
      "OMTaskTesting",
      [
        "OMJSON", "OMGrid", "OMStore", "OMCodecs", "OMZarr", "OMImage", "OMManifest", "OMTask",
        "OMTables", "OMRun",
      ]),
    // what layouts, codecs, files and tasks cost on this machine, for `omtask bench`
    library(
      "OMBench",
      [
        "OMJSON", "OMGrid", "OMStore", "OMCodecs", "OMZarr", "OMImage", "OMManifest", "OMTask",
        "OMRun", "OMTaskTesting", "CSys",
      ]),
    // ranks
    library("OMMPI", ["OMJSON", "OMStore", "OMRun", "CMPI"]),
    // one file per subcommand
    library(
      "OMCommands",
      [
        "OMJSON", "OMGrid", "OMStore", "OMCodecs", "OMZarr", "OMTiff", "OMImage", "OMManifest",
        "OMTask", "OMTables", "OMExternal", "OMRun", "OMTaskTesting", "OMBench", "OMMPI",
        "OMValidate", "CPNG",
        "CSys",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),

    // The tasks: one Swift file each, declared by Manifests/<task>.json
    .target(
      name: "OMTasks", dependencies: ["OMTask", "OMGrid", "OMJSON", "OMManifest"], path: "Tasks",
      swiftSettings: settings, plugins: ["ManifestPlugin"]),
    .plugin(
      name: "ManifestPlugin", capability: .buildTool(), dependencies: ["manifest-compiler"]),
    .executableTarget(
      name: "manifest-compiler", dependencies: ["OMJSON", "OMManifest"], swiftSettings: settings),

    // The program
    .executableTarget(
      name: "omtask", dependencies: ["OMCommands", "OMTasks"], swiftSettings: settings),

    // Tests
    tests("OMJSON"),
    tests("OMGrid", ["TestSupport"]),
    tests("OMStore", ["OMJSON", "CSys"]),
    tests("OMCodecs", ["OMJSON", "OMGrid"], hasFixtures: true),
    tests("OMZarr", ["OMJSON", "OMGrid", "OMStore", "OMCodecs"], hasFixtures: true),
    tests("OMTiff", ["OMJSON", "OMGrid", "OMStore"]),
    tests("OMImage", ["OMJSON", "OMStore", "OMZarr"]),
    tests("OMValidate", ["OMJSON", "OMStore"]),
    tests("OMManifest", ["OMJSON"]),
    tests("OMTask", ["OMJSON", "OMGrid"], hasFixtures: true),
    tests("OMTables", ["OMJSON", "OMStore", "OMImage", "OMTask"]),
    tests("OMExternal", ["OMJSON", "OMGrid", "OMManifest", "OMTask"]),
    tests("OMObjects", ["TestSupport"]),
    tests(
      "OMRun",
      [
        "OMJSON", "OMGrid", "OMStore", "OMCodecs", "OMZarr", "OMImage", "OMManifest", "OMTask",
        "OMObjects", "OMTasks", "TestSupport",
      ], hasFixtures: true),
    tests(
      "OMTaskTesting", ["OMJSON", "OMGrid", "OMZarr", "OMManifest", "OMTask", "OMTasks"]),
    tests("OMBench", ["OMJSON", "OMGrid", "OMCodecs", "OMRun"]),
    tests("OMMPI", ["OMJSON"]),
    tests(
      "OMCommands",
      [
        "OMJSON", "OMGrid", "OMStore", "OMCodecs", "OMZarr", "OMManifest", "OMTask", "OMRun",
        "OMMPI",
      ]),
    // masks that are hard to label and a flood fill to compare with
    .target(
      name: "TestSupport", dependencies: ["OMObjects"], path: "Tests/TestSupport",
      swiftSettings: settings),
    // what the fuzzer calls, and the tests that call it with the inputs kept in Fuzz/
    .target(
      name: "FuzzTargets",
      dependencies: [
        "OMJSON", "OMGrid", "OMStore", "OMCodecs", "OMZarr", "OMImage", "OMValidate", "OMManifest",
        "OMTiff", "OMTables", "OMRun",
      ], path: "Tests/FuzzTargets", swiftSettings: settings),
    .testTarget(
      name: "FuzzTests", dependencies: ["FuzzTargets"], swiftSettings: settings),
    // the import lines of all modules against the arrows of ARCHITECTURE.md
    .testTarget(name: "ArrowTests", swiftSettings: settings),
  ]
)

// swift-tools-version: 6.2
import PackageDescription

// The fuzzer: the targets of Tests/FuzzTargets behind libFuzzer's entry point. A package of its own,
// so that nothing here is built with the program; scripts/fuzz links it.
let package = Package(
  name: "fuzz",
  products: [
    .library(name: "FuzzEntry", type: .static, targets: ["FuzzEntry"])
  ],
  dependencies: [
    .package(name: "omtask", path: "..", traits: [])
  ],
  targets: [
    .target(
      name: "FuzzEntry",
      dependencies: [.product(name: "FuzzTargets", package: "omtask")],
      swiftSettings: [.swiftLanguageMode(.v6), .treatAllWarnings(as: .error)])
  ]
)

// swift-tools-version: 6.2
import PackageDescription

// A program of one's own: the engine of omtask around tasks that are not part of it.
let package = Package(
  name: "range-tasks",
  dependencies: [
    // In a package of your own: the place of omtask, with a version.
    .package(name: "omtask", path: "../..")
  ],
  targets: [
    .executableTarget(
      name: "range-tasks",
      dependencies: [.product(name: "OMTaskKit", package: "omtask")],
      path: "Sources",
      plugins: [.plugin(name: "ManifestPlugin", package: "omtask")])
  ]
)

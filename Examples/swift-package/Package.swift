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
    // the tasks, one for each manifest
    .target(
      name: "RangeTasks",
      dependencies: [.product(name: "OMTaskKit", package: "omtask")],
      plugins: [.plugin(name: "ManifestPlugin", package: "omtask")]),
    // the program
    .executableTarget(
      name: "range-tasks",
      dependencies: ["RangeTasks", .product(name: "OMTaskKit", package: "omtask")],
      path: "Sources/Program"),
    // whether results depend on how the work is cut
    .testTarget(
      name: "RangeTasksTests",
      dependencies: ["RangeTasks", .product(name: "OMTaskTesting", package: "omtask")],
      path: "Tests"),
  ]
)

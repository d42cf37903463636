import OMManifest

/// A new task as a Swift package, but for its manifest.
struct SwiftTemplate {
  /// The name on the command line, which the program has, too.
  let identifier: String

  /// The start of the type names: `BrightSpots`.
  private var type: String { SwiftName.type(identifier) }
  /// The module with the tasks, which is named as none of its types.
  private var module: String { "\(type)Tasks" }

  /// The variable that says where omtask lies.
  static let sourceVariable = "OMTASK_SOURCE"

  /// The package, its sources and tests.
  var files: [NewTask.File] {
    [
      NewTask.File(name: "Package.swift", text: package),
      NewTask.File(name: "Sources/Program/Program.swift", text: program),
      NewTask.File(name: "Sources/\(module)/\(type).swift", text: task),
      NewTask.File(name: "Tests/\(type)Tests.swift", text: tests),
      NewTask.File(name: ".gitignore", text: ".build\n"),
    ]
  }

  private var package: String {
    """
    // swift-tools-version: 6.2
    import PackageDescription

    // Where the sources of omtask lie; put `.package(url: "…", from: "…")` below to take them from the net.
    let omtask = Context.environment["\(Self.sourceVariable)"] ?? "../omtask"

    let package = Package(
      name: "\(identifier)",
      dependencies: [.package(name: "omtask", path: omtask)],
      targets: [
        // the tasks, one for each file in Manifests
        .target(
          name: "\(module)",
          dependencies: [.product(name: "OMTaskKit", package: "omtask")],
          plugins: [.plugin(name: "ManifestPlugin", package: "omtask")]),
        // the program: all commands of omtask
        .executableTarget(
          name: "\(identifier)",
          dependencies: ["\(module)", .product(name: "OMTaskKit", package: "omtask")],
          path: "Sources/Program"),
        // whether results depend on how the work is cut
        .testTarget(
          name: "\(type)Tests",
          dependencies: ["\(module)", .product(name: "OMTaskTesting", package: "omtask")],
          path: "Tests"),
      ]
    )

    """
  }

  private var program: String {
    """
    import \(module)
    import OMCommands

    /// The program: every command of omtask, for the tasks of `Manifests/`.
    @main
    enum Program {
      static func main() { OMTaskProgram.main(name: "\(identifier)", tasks: TaskCatalog.entries) }
    }

    """
  }

  private var task: String {
    """
    import OMGrid
    import OMJSON
    import OMManifest
    import OMTask

    /// `\(identifier)`: a derived image, the largest of the voxels around each voxel, in the plane.
    struct \(type)Task: RegionTask {
      private let parameters: \(type)Parameters

      /// Binds the task; the parameters are declared in `Manifests/\(identifier).json` and nowhere else.
      init(_ bound: Parameters) throws(Fault) {
        parameters = try \(type)Parameters(bound)
      }

      /// One image of the same type.
      func product(for image: ImageInfo) throws(Fault) -> Product {
        let kernel = \(type)Kernel(radius: parameters.radius)
        return .image(
          ImageRecipe(
            suffix: "\(identifier)", making: .tiles { _ in kernel }, dataType: image.dataType,
            downsampling: .mean))
      }
    }

    /// Computes a box of voxels from that box and the halo around it.
    package struct \(type)Kernel: TileKernel {
      private let radius: Int

      package init(radius: Int) { self.radius = radius }

      /// How far the kernel looks along z, y and x.
      package var halo: Vector3 { Vector3(0, radius, radius) }

      package func apply<V: Voxel>(
        _ input: Tile<V>, _ output: OutputTile, scratch: TileScratch
      ) throws(Fault) {
        for z in output.origin.z..<output.origin.z + output.shape.z {
          for y in output.origin.y..<output.origin.y + output.shape.y {
            // The halo is thinner only where the volume ends.
            let rows = max(0, y - radius)..<min(input.volume.y, y + radius + 1)
            let made = output.row(z: z, y: y, V.self)
            for x in output.origin.x..<output.origin.x + output.shape.x {
              let columns = max(0, x - radius)..<min(input.volume.x, x + radius + 1)
              var largest = input.row(z: z, y: y)[x - input.origin.x]
              for near in rows {
                let row = input.row(z: z, y: near)
                for column in columns where row[column - input.origin.x] > largest {
                  largest = row[column - input.origin.x]
                }
              }
              made[x - output.origin.x] = largest
            }
          }
        }
      }
    }

    """
  }

  private var tests: String {
    """
    import \(module)
    import OMGrid
    import OMTaskTesting
    import Testing

    @Suite struct \(type)Tests {
      /// The kernel alone, in memory: random boxes of an image must give what the whole gives.
      @Test(arguments: [0, 1, 3])
      func `the kernel looks no farther than its halo`(radius: Int) throws {
        let sample = try SampleImage.blobs(.uint16, shape: [5, 40, 50])
        try Trials(dataTypes: [.uint8, .float32]).check(\(type)Kernel(radius: radius), on: sample)
      }

      /// The tasks as they run: stored in random chunks and shards, on several threads.
      @Test func `every task gives the same however the work is cut`() throws {
        let sample = try SampleImage.blobs(.uint8, shape: [4, 24, 31])
        for entry in TaskCatalog.entries { try Trials(rounds: 10).check(entry, on: sample) }
      }

      /// What the task is for.
      @Test func `a bright voxel grows to a square`() throws {
        var voxels = [UInt8](repeating: 1, count: 7 * 9)
        voxels[3 * 9 + 4] = 200
        let sample = try SampleImage(voxels, shape: [7, 9])
        let made = try sample.made(by: \(type)Kernel(radius: 1), as: UInt8.self)
        #expect(made.count { $0 == 200 } == 9)
      }
    }

    """
  }
}

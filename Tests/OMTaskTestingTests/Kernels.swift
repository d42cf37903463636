import OMGrid
import OMJSON
import OMManifest
import OMTask

/// The largest voxel around each, as far as `looks` says, which may be farther than the halo.
struct Largest: TileKernel {
  let halo: Vector3
  let looks: Int
  var reach = TileReach.any

  init(halo: Int, looks: Int? = nil, reach: TileReach = .any) {
    self.halo = Vector3(halo, halo, halo)
    self.looks = looks ?? halo
    self.reach = reach
  }

  func apply<V: Voxel>(
    _ input: Tile<V>, _ output: OutputTile, scratch: TileScratch
  ) throws(Fault) {
    let range = { (centre: Int, start: Int, count: Int) in
      max(start, centre - looks)..<min(start + count, centre + looks + 1)
    }
    for z in output.origin.z..<output.origin.z + output.shape.z {
      for y in output.origin.y..<output.origin.y + output.shape.y {
        let made = output.row(z: z, y: y, V.self)
        for x in output.origin.x..<output.origin.x + output.shape.x {
          var largest = input.row(z: z, y: y)[x - input.origin.x]
          for plane in range(z, input.origin.z, input.shape.z) {
            for line in range(y, input.origin.y, input.shape.y) {
              let row = input.row(z: plane, y: line)
              for column in range(x, input.origin.x, input.shape.x) {
                let voxel = row[column - input.origin.x]
                if voxel > largest { largest = voxel }
              }
            }
          }
          made[x - output.origin.x] = largest
        }
      }
    }
  }
}

/// A copy that errs in some way.
struct Copy: TileKernel {
  enum Error: Sendable { case origin, beside, remembers, throwsFault }

  let error: Error
  let halo = Vector3(0, 0, 0)

  func apply<V: Voxel>(
    _ input: Tile<V>, _ output: OutputTile, scratch: TileScratch
  ) throws(Fault) {
    if error == .throwsFault && output.origin.x > 0 { throw Fault(.task, "", "x is not 0") }
    let calls = scratch.room(0, Int.self, count: 1)
    if calls.pointee < 0 || calls.pointee > 1_000 { calls.pointee = 0 }
    calls.pointee += 1
    let shape = output.shape
    for z in 0..<shape.z {
      for y in 0..<shape.y {
        let made = output.row(z: output.origin.z + z, y: output.origin.y + y, V.self)
        let row = input.row(z: input.origin.z + z, y: input.origin.y + y)
        for x in 0..<shape.x { made[x] = row[x] }
      }
    }
    let first = output.row(z: output.origin.z, y: output.origin.y, V.self)
    switch error {
    case .throwsFault: break
    case .origin: if output.origin.y > 0 { first[0] = V(halfEven: 3) }
    case .beside: (first - 1).pointee = V(halfEven: 9)
    case .remembers: if calls.pointee > 1 { first[0] = V(halfEven: Double(calls.pointee)) }
    }
  }
}

/// A copy that leaves out the last column.
struct Sparing: TileKernel {
  let halo = Vector3(0, 0, 0)

  func apply<V: Voxel>(
    _ input: Tile<V>, _ output: OutputTile, scratch: TileScratch
  ) throws(Fault) {
    for z in output.origin.z..<output.origin.z + output.shape.z {
      for y in output.origin.y..<output.origin.y + output.shape.y {
        let (made, row) = (output.row(z: z, y: y, V.self), input.row(z: z, y: y))
        for x in 0..<output.shape.x - 1 { made[x] = row[x] }
      }
    }
  }
}

/// A task around a kernel whose halo may be too small.
struct LargestTask: RegionTask {
  let halo: Int
  let looks: Int

  init(_ parameters: Parameters) throws(Fault) {
    halo = try parameters.required("halo")
    looks = try parameters.required("looks")
  }

  func product(for image: ImageInfo) throws(Fault) -> Product {
    let kernel = Largest(halo: halo, looks: looks)
    return .image(
      ImageRecipe(
        suffix: "largest", making: .tiles { _ in kernel }, dataType: image.dataType,
        downsampling: .mean))
  }

  static func entry(exactness: String = "E") -> CatalogEntry {
    let number = { (name: String) in
      #""\#(name)": {"type": "integer", "default": 1, "title": "N", "description": "A number."}"#
    }
    return CatalogEntry(
      manifestText: """
        {
          "name": "Largest", "type": "parallel", "executable_parallel": "bin/x run largest",
          "category": "Image Processing", "docs_info": "### Purpose",
          "args_schema_parallel": {
            "type": "object", "title": "Largest", "additionalProperties": false,
            "properties": {
              "zarr_url": {"type": "string", "title": "Z", "description": "The image."},
              \(number("halo")), \(number("looks"))
            },
            "required": ["zarr_url"]
          },
          "omtask": {
            "summary": "A test", "contract": "kernel", "result_version": 1,
            "exactness": "\(exactness)", "passes": [{"name": "tiles", "yields": "tiles"}],
            "outputs": [{"name": "image", "kind": "image", "dtypes": ["uint8", "float32"]}],
            "dtypes": ["uint8", "float32"], "axes": {"required": ["y", "x"], "optional": ["z"]},
            "groups": [{"title": "All", "parameters": ["halo", "looks"]}], "units": {},
            "run_only": [], "examples": []
          }
        }
        """, task: LargestTask.self)
  }
}

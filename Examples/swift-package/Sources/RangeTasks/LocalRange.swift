import OMGrid
import OMJSON
import OMManifest
import OMTask

/// `local-range`: a derived image, the largest minus the smallest voxel around each voxel.
struct LocalRangeTask: RegionTask {
  private let parameters: LocalRangeParameters

  /// Binds the task.
  init(_ bound: Parameters) throws(Fault) {
    parameters = try LocalRangeParameters(bound)
  }

  /// One image of the same type.
  func product(for image: ImageInfo) throws(Fault) -> Product {
    if [.int8, .int16, .int32, .int64].contains(image.dataType) {
      throw Fault(
        .usage, "", "the image is of type \(image.dataType), which cannot hold every difference",
        hint: "`omtask convert --dtype` makes an image of another type")
    }
    let radius = try image.alongSpace(parameters.radius, named: "radius", flat: 0)
    let kernel = LocalRange(halo: Vector3(radius.z, radius.y, radius.x))
    return .image(
      ImageRecipe(
        suffix: parameters.suffix, making: .tiles { _ in kernel }, dataType: image.dataType,
        downsampling: .mean))
  }
}

/// The largest minus the smallest voxel of a box; beyond the volume there are no voxels.
package struct LocalRange: TileKernel {
  package let halo: Vector3

  /// Makes the kernel of a window that reaches as far as the halo.
  package init(halo: Vector3) { self.halo = halo }

  package func apply<V: Voxel>(
    _ input: Tile<V>, _ output: OutputTile, scratch: TileScratch
  ) throws(Fault) {
    let (origin, shape) = (output.origin, output.shape)
    for z in origin.z..<origin.z + shape.z {
      let planes = within(z, halo.z, input.volume.z)
      for y in origin.y..<origin.y + shape.y {
        let rows = within(y, halo.y, input.volume.y)
        let made = output.row(z: z, y: y, V.self)
        for x in origin.x..<origin.x + shape.x {
          let columns = within(x, halo.x, input.volume.x)
          var smallest = input.row(z: z, y: y)[x - input.origin.x]
          var largest = smallest
          for plane in planes {
            for y in rows {
              let row = input.row(z: plane, y: y)
              for x in columns {
                let voxel = row[x - input.origin.x]
                if voxel < smallest { smallest = voxel }
                if voxel > largest { largest = voxel }
              }
            }
          }
          made[x - origin.x] = largest - smallest
        }
      }
    }
  }

  /// The places of a window that lie in the volume.
  private func within(_ centre: Int, _ radius: Int, _ count: Int) -> Range<Int> {
    max(0, centre - radius)..<min(count, centre + radius + 1)
  }
}

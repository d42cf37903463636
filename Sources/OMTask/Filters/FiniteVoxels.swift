import OMGrid
import OMJSON

extension Tile {
  /// Refuses floating-point voxels that are not finite numbers, naming the first of this tile.
  func requireFinite() throws(Fault) {
    guard let place = V.firstNotFinite(voxels, count: shape.z * shape.y * shape.x) else { return }
    let rest = place % (shape.y * shape.x)
    let z = origin.z + place / (shape.y * shape.x)
    let (y, x) = (origin.y + rest / shape.x, origin.x + rest % shape.x)
    throw Fault(
      .task, "", "voxel \(z), \(y), \(x) is not a finite number",
      facts: ["indices are z, y, x in the volume; the type is \(V.dataType.rawValue)"],
      hint: "replace NaN and infinities before filtering")
  }
}

import OMGrid
import OMJSON
import OMTask
import Testing

/// A volume in memory that kernels are tried on.
struct FilterVolume {
  let dataType: DataType
  let shape: Vector3
  var bytes: [UInt8]

  /// A volume of voxels in C order.
  init<V: Voxel>(_ voxels: [V], _ shape: Vector3) {
    precondition(voxels.count == shape.z * shape.y * shape.x)
    dataType = V.dataType
    self.shape = shape
    bytes = voxels.withUnsafeBytes { Array($0) }
  }

  /// A synthetic image folded to a volume.
  init(_ image: SyntheticImage, _ shape: Vector3) {
    precondition(image.size == shape.z * shape.y * shape.x)
    dataType = image.dataType
    self.shape = shape
    bytes = image.bytes
  }

  /// A volume of one grey value, its least when nothing is said.
  init(constant dataType: DataType, _ shape: Vector3, low: Double = 0) {
    let size = shape.z * shape.y * shape.x
    self.init(SyntheticImage(dataType, "constant", low: low, size: size), shape)
  }

  /// The voxels as values of their type.
  func voxels<V: Voxel>(_: V.Type) -> [V] {
    bytes.withUnsafeBytes { Array($0.bindMemory(to: V.self)) }
  }

  /// What a kernel makes of the volume, tile by tile, each with the halo the engine gives it.
  func filtered(
    by kernel: some TileKernel, to output: DataType? = nil, tiles: Vector3? = nil
  ) throws -> [UInt8] {
    let type = output ?? dataType
    let scratch = TileScratch()
    var result = [UInt8](repeating: 0xEE, count: shape.z * shape.y * shape.x * type.byteCount)
    let tile = tiles ?? shape
    for z in stride(from: 0, to: shape.z, by: tile.z) {
      for y in stride(from: 0, to: shape.y, by: tile.y) {
        for x in stride(from: 0, to: shape.x, by: tile.x) {
          let core = FilterBox(
            z..<min(z + tile.z, shape.z), y..<min(y + tile.y, shape.y),
            x..<min(x + tile.x, shape.x))
          let voxels = try filtered(core, by: kernel, type, scratch)
          core.put(voxels, in: &result, shape, type.byteCount)
        }
      }
    }
    return result
  }

  private func filtered(
    _ core: FilterBox, by kernel: some TileKernel, _ type: DataType, _ scratch: TileScratch
  ) throws -> [UInt8] {
    let halo = kernel.halo
    let outer = FilterBox(
      max(0, core.z.lowerBound - halo.z)..<min(shape.z, core.z.upperBound + halo.z),
      max(0, core.y.lowerBound - halo.y)..<min(shape.y, core.y.upperBound + halo.y),
      max(0, core.x.lowerBound - halo.x)..<min(shape.x, core.x.upperBound + halo.x))
    let input = outer.take(from: bytes, shape, dataType.byteCount)
    var voxels = [UInt8](repeating: 0xDD, count: core.count * type.byteCount)
    try input.withUnsafeBytes { input in
      try voxels.withUnsafeMutableBytes { voxels in
        try kernel.apply(
          dataType, #require(input.baseAddress), origin: outer.origin, shape: outer.shape,
          volume: shape,
          OutputTile(
            start: #require(voxels.baseAddress), dataType: type, origin: core.origin,
            shape: core.shape), scratch: scratch)
      }
    }
    return voxels
  }
}

/// A box of a volume.
private struct FilterBox {
  let z: Range<Int>
  let y: Range<Int>
  let x: Range<Int>

  init(_ z: Range<Int>, _ y: Range<Int>, _ x: Range<Int>) { (self.z, self.y, self.x) = (z, y, x) }

  var origin: Vector3 { Vector3(z.lowerBound, y.lowerBound, x.lowerBound) }
  var shape: Vector3 { Vector3(z.count, y.count, x.count) }
  var count: Int { z.count * y.count * x.count }

  /// The bytes of this box of a volume.
  func take(from bytes: [UInt8], _ volume: Vector3, _ byteCount: Int) -> [UInt8] {
    rows(of: volume).flatMap { bytes[$0 * byteCount..<($0 + x.count) * byteCount] }
  }

  /// Puts bytes where this box lies in a volume.
  func put(_ part: [UInt8], in bytes: inout [UInt8], _ volume: Vector3, _ byteCount: Int) {
    for (index, start) in rows(of: volume).enumerated() {
      let length = x.count * byteCount
      bytes.replaceSubrange(
        start * byteCount..<start * byteCount + length,
        with: part[index * length..<(index + 1) * length])
    }
  }

  private func rows(of volume: Vector3) -> [Int] {
    z.flatMap { z in y.map { y in (z * volume.y + y) * volume.x + x.lowerBound } }
  }
}

import OMGrid
import OMJSON
import OMTask

/// A program that computes tiles, as the engine sees it: a kernel like any other.
struct ExternalKernel: TileKernel {
  /// How far the program looks beyond what it computes.
  let halo: Vector3
  /// How much of a volume it must see at once.
  let reach: TileReach
  /// Whether the image has a z axis.
  let hasDepth: Bool
  /// The line about the image.
  let image: JSON
  /// What tells the image from others with the same line.
  private let identity = RegionImage()
  /// Bytes for each voxel it is given: in shared memory, and of its own.
  let bytesPerVoxel: Int
  /// The children.
  let pool: ChildPool
  /// How a child is started for a worker.
  let start: @Sendable (Int) throws(Fault) -> RegionChild.Start

  func scratchByteCount(_ tile: Vector3) -> Int {
    (reach == .plane ? 1 : tile.z) * tile.y * tile.x * bytesPerVoxel
  }

  func apply<V: Voxel>(
    _ input: Tile<V>, _ output: OutputTile, scratch: TileScratch
  ) throws(Fault) {
    try apply(
      V.dataType, input.voxels, origin: input.origin, shape: input.shape, volume: input.volume,
      output, scratch: scratch)
  }

  func apply(
    _ dataType: DataType, _ voxels: UnsafeRawPointer, origin: Vector3, shape: Vector3,
    volume: Vector3, _ output: OutputTile, scratch: TileScratch
  ) throws(Fault) {
    try pool.withChild(start) { (child) throws(Fault) in
      guard reach == .plane else {
        let request = request(
          dataType, origin, shape, volume, .voxels(output.dataType), (output.origin, output.shape))
        return try child.compute(
          request, of: output.dataType, in: (image, identity), voxels, into: output.start,
          sign: scratch.sign)
      }
      // A region may hold many planes, and each is one for the program.
      let (inputBytes, outputBytes) = (
        shape.y * shape.x * dataType.byteCount,
        output.shape.y * output.shape.x * output.dataType.byteCount
      )
      for plane in 0..<shape.z {
        let request = request(
          dataType, origin.plane(plane), shape.ofOnePlane, volume, .voxels(output.dataType),
          (output.origin.plane(plane), output.shape.ofOnePlane))
        try child.compute(
          request, of: output.dataType, in: (image, identity), voxels + plane * inputBytes,
          into: output.start + plane * outputBytes, sign: scratch.sign)
        scratch.sign()
      }
      if output.dataType == .uint32 && numbersPlanes { try number(output) }
    }
  }

  /// Whether the voxels are numbers of objects, which begin anew in every plane.
  var numbersPlanes = false

  /// Looks at a box, plane by plane where the program sees planes.
  ///
  /// - Parameters:
  ///   - tile: The voxels.
  ///   - core: The box that the answers are about.
  ///   - sign: Called when the child moves on.
  ///   - read: Reads an answer, given the first voxel that it is about.
  /// - Returns: What was read of each answer.
  /// - Throws: What the child does wrong, and what reading throws; the fault names the region.
  func find<Found>(
    in tile: RegionTile, core: (origin: Vector3, shape: Vector3), sign: () -> Void,
    _ read: (JSON, Vector3) throws(Fault) -> Found
  ) throws(Fault) -> [Found] {
    var found: [Found] = []
    try pool.withChild(start) { (child) throws(Fault) in
      let planes = reach == .plane ? tile.shape.z : 1
      let bytes = tile.shape.y * tile.shape.x * tile.dataType.byteCount
      for plane in 0..<planes {
        let one = { (shape: Vector3) in reach == .plane ? shape.ofOnePlane : shape }
        let origin = core.origin.plane(plane)
        let request = request(
          tile.dataType, tile.origin.plane(plane), one(tile.shape), tile.volume,
          .partial(time: tile.time), (origin, one(core.shape)))
        do throws(Fault) {
          found.append(
            try child.find(
              request, in: (image, identity), tile.voxels + plane * bytes, sign: sign
            ) { (answer) throws(Fault) in try read(answer, origin) })
        } catch {
          throw error.about(origin, one(core.shape))
        }
        sign()
      }
    }
    return found
  }

  private func request(
    _ dataType: DataType, _ origin: Vector3, _ shape: Vector3, _ volume: Vector3,
    _ wanted: RegionProtocol.Request.Wanted, _ output: (origin: Vector3, shape: Vector3)
  ) -> RegionProtocol.Request {
    let isFlat = !hasDepth || reach == .plane
    let list = { (v: Vector3) in isFlat ? [v.y, v.x] : [v.z, v.y, v.x] }
    return RegionProtocol.Request(
      number: 0, axes: isFlat ? ["y", "x"] : ["z", "y", "x"], inputType: dataType,
      inputShape: list(shape), inputOrigin: [origin.z, origin.y, origin.x],
      wanted: wanted, outputShape: list(output.shape),
      offset: list(
        Vector3(
          output.origin.z - origin.z, output.origin.y - origin.y, output.origin.x - origin.x)),
      volume: [volume.z, volume.y, volume.x])
  }

  /// Makes the numbers of every plane differ from those of the planes before it.
  private func number(_ output: OutputTile) throws(Fault) {
    let count = output.shape.y * output.shape.x
    let voxels = output.start.assumingMemoryBound(to: UInt32.self)
    var (base, next): (UInt32, UInt32) = (0, 0)
    for plane in 0..<output.shape.z {
      // Numbers may be anything, so they are made small first.
      var known: [UInt32: UInt32] = [:]
      let line = voxels + plane * count
      for index in 0..<count where line[index] != 0 {
        if let number = known[line[index]] {
          line[index] = number
          continue
        }
        let (number, overflow) = base.addingReportingOverflow(UInt32(known.count) + 1)
        if overflow { throw Fault(.limit, "", "a region has more than 2^32 objects") }
        known[line[index]] = number
        line[index] = number
        next = number
      }
      base = next
    }
  }
}

extension Vector3 {
  /// The same place some planes further.
  fileprivate func plane(_ number: Int) -> Vector3 { Vector3(z + number, y, x) }
  /// The same size, one plane thick.
  fileprivate var ofOnePlane: Vector3 { Vector3(1, y, x) }
}

extension Fault {
  /// The fault with the region that it is about.
  fileprivate func about(_ origin: Vector3, _ shape: Vector3) -> Fault {
    var fault = self
    fault.facts.insert(
      "in the region at z, y, x = \(origin.z), \(origin.y), \(origin.x) of "
        + "\(shape.z) x \(shape.y) x \(shape.x) voxels", at: 0)
    return fault
  }
}

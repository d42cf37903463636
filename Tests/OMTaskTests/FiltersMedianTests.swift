import OMGrid
import OMJSON
import OMTask
import Testing

@Suite struct FiltersMedianTests {
  @Test(arguments: DataType.allCases)
  func `a constant image stays as it is`(dataType: DataType) throws {
    let volume = FilterVolume(constant: dataType, Vector3(3, 4, 11), low: 1)
    for radius in [Vector3(1, 1, 1), Vector3(0, 12, 12)] {
      #expect(try volume.filtered(by: MedianKernel(radius: radius)) == volume.bytes)
    }
  }

  /// From the smallest network to windows that only a histogram or a selection takes.
  @Test(arguments: [
    Vector3(0, 0, 0), Vector3(0, 0, 1), Vector3(0, 0, 7), Vector3(2, 0, 0), Vector3(0, 3, 3),
    Vector3(1, 2, 6), Vector3(0, 10, 11), Vector3(0, 20, 20),
  ])
  func `medians are those of a sort`(radius: Vector3) throws {
    for footprint in FilterFootprint.allCases {
      let kernel = MedianKernel(radius: radius, footprint: footprint)
      try expectSorted(UInt8.self, .uint8, low: 0, span: 256, kernel, footprint)
      try expectSorted(Int16.self, .int16, low: -32_768, span: 65_536, kernel, footprint)
      try expectSorted(Int32.self, .int32, low: -1e9, span: 2e9, kernel, footprint)
      try expectSorted(Float16.self, .float16, low: -1, span: 2, kernel, footprint)
      try expectSorted(Double.self, .float64, low: -1, span: 2, kernel, footprint)
    }
  }

  @Test func `one bright voxel disappears and an edge stays`() throws {
    var voxels = [UInt16](repeating: 0, count: 5 * 8)
    voxels[2 * 8 + 1] = .max
    for y in 0..<5 { for x in 4..<8 { voxels[y * 8 + x] = 500 } }
    let volume = FilterVolume(voxels, Vector3(1, 5, 8))
    voxels[2 * 8 + 1] = 0
    let kernel = MedianKernel(radius: Vector3(0, 1, 1))
    #expect(try volume.filtered(by: kernel) == FilterVolume(voxels, Vector3(1, 5, 8)).bytes)
  }

  @Test func `64-bit integers are ranked exactly`() throws {
    // As doubles these are one number.
    let voxels: [Int64] = [.max, .max - 2, .max - 1]
    let volume = FilterVolume(voxels, Vector3(1, 1, 3))
    let kernel = MedianKernel(radius: Vector3(0, 0, 1))
    let expected: [Int64] = [.max, .max - 1, .max - 1]
    #expect(try volume.filtered(by: kernel) == FilterVolume(expected, Vector3(1, 1, 3)).bytes)
  }

  @Test func `the halo is the radius`() {
    #expect(MedianKernel(radius: Vector3(1, 2, 3), footprint: .ball).halo == Vector3(1, 2, 3))
  }

  @Test func `a voxel that is not a finite number is named by its place in the volume`() throws {
    var voxels = [Float](repeating: 1, count: 3 * 4 * 5)
    voxels[(1 * 4 + 2) * 5 + 3] = .nan
    let volume = FilterVolume(voxels, Vector3(3, 4, 5))
    let fault = #expect(throws: Fault.self) {
      try volume.filtered(by: MedianKernel(radius: Vector3(1, 1, 1)), tiles: Vector3(1, 2, 2))
    }
    #expect(fault?.kind == .task)
    #expect(fault?.message == "voxel 1, 2, 3 is not a finite number")
    #expect(fault?.hint == "replace NaN and infinities before filtering")
  }
}

/// Compares with windows that are sorted one by one.
private func expectSorted<V: Voxel>(
  _: V.Type, _ dataType: DataType, low: Double, span: Double, _ kernel: MedianKernel,
  _ footprint: FilterFootprint
) throws {
  let shape = Vector3(2, 3, 6)
  let image = SyntheticImage(dataType, "noise", low: low, span: span, size: 36, seed: 11)
  let volume = FilterVolume(image, shape)
  let voxels = volume.voxels(V.self)
  let steps = footprint == .ball ? ballSteps(kernel.halo) : boxSteps(kernel.halo)
  var expected: [V] = []
  for z in 0..<shape.z {
    for y in 0..<shape.y {
      for x in 0..<shape.x {
        let window = steps.map { step in
          let (a, b) = (mirrored(z + step.z, shape.z), mirrored(y + step.y, shape.y))
          return voxels[(a * shape.y + b) * shape.x + mirrored(x + step.x, shape.x)]
        }
        expected.append(window.sorted()[window.count / 2])
      }
    }
  }
  let found = try volume.filtered(by: kernel, tiles: Vector3(1, 2, 4))
  #expect(found == FilterVolume(expected, shape).bytes, "\(V.self) \(footprint)")
}

private func boxSteps(_ radius: Vector3) -> [Vector3] {
  (-radius.z...radius.z).flatMap { z in
    (-radius.y...radius.y).flatMap { y in
      (-radius.x...radius.x).map { x in Vector3(z, y, x) }
    }
  }
}

private func ballSteps(_ radius: Vector3) -> [Vector3] {
  func share(_ step: Int, _ radius: Int) -> Double {
    radius == 0 ? 0 : Double(step * step) / Double(radius * radius)
  }
  return boxSteps(radius).filter {
    share($0.z, radius.z) + share($0.y, radius.y) + share($0.x, radius.x) <= 1 + 1e-9
  }
}

/// SciPy's border `reflect`, step by step.
private func mirrored(_ index: Int, _ count: Int) -> Int {
  var index = index
  while index < 0 || index >= count { index = index < 0 ? -1 - index : 2 * count - 1 - index }
  return index
}

import OMGrid
import OMJSON
import OMTask
import Testing

@Suite struct FiltersGaussianTests {
  @Test(arguments: DataType.allCases)
  func `a constant image stays as it is`(dataType: DataType) throws {
    let volume = FilterVolume(constant: dataType, Vector3(4, 5, 11), low: 1)
    let kernel = GaussianKernel(sigma: (1, 2, 0.7))
    let expected = dataType.byteCount == 8 && dataType.isFloat ? nil : volume.bytes
    let found = try volume.filtered(by: kernel)
    if let expected {
      #expect(found == expected)
    } else {  // the sum of the weights is 1 only to the last bits
      let numbers = found.withUnsafeBytes { Array($0.bindMemory(to: Double.self)) }
      #expect(numbers.allSatisfy { abs($0 - 1) < 1e-15 })
    }
  }

  @Test func `the brightest and the darkest voxels of a type do not wrap`() throws {
    let kernel = GaussianKernel(sigma: (1, 1, 1))
    let shape = Vector3(3, 4, 9)
    let bright = FilterVolume([UInt16](repeating: .max, count: 108), shape)
    #expect(try bright.filtered(by: kernel) == bright.bytes)
    let dark = FilterVolume([Int16](repeating: .min, count: 108), shape)
    #expect(try dark.filtered(by: kernel) == dark.bytes)
    let largest = FilterVolume([UInt64](repeating: .max, count: 108), shape)
    #expect(try largest.filtered(by: kernel) == largest.bytes)
  }

  @Test func `numbers outside the output type saturate`() throws {
    let volume = FilterVolume([Int32](repeating: -70_000, count: 30), Vector3(1, 3, 10))
    let kernel = GaussianKernel(sigma: (0, 1, 1))
    #expect(try volume.filtered(by: kernel, to: .uint8) == [UInt8](repeating: 0, count: 30))
    let bright = FilterVolume([Float](repeating: 1e9, count: 30), Vector3(1, 3, 10))
    #expect(try bright.filtered(by: kernel, to: .uint8) == [UInt8](repeating: 255, count: 30))
    #expect(try bright.filtered(by: kernel, to: .bool) == [UInt8](repeating: 1, count: 30))
  }

  @Test func `no sigma copies the voxels, however large`() throws {
    let volume = FilterVolume([Int64.max, .max - 1, 3, .min + 1], Vector3(1, 2, 2))
    for kind in GaussianKernel.Kind.allCases {
      let kernel = GaussianKernel(sigma: (0, 0, 0), kind: kind)
      #expect(kernel.halo == Vector3(0, 0, 0))
      #expect(try volume.filtered(by: kernel, tiles: Vector3(1, 1, 1)) == volume.bytes)
    }
  }

  @Test func `the halo is four sigmas, rounded`() {
    #expect(GaussianKernel(sigma: (0.12, 0.2, 2.13)).halo == Vector3(0, 1, 9))
  }

  @Test(arguments: [FilterBorder.reflect, .nearest])
  func `a window much larger than the volume is filled from it`(border: FilterBorder) throws {
    // Mirrored endlessly, far beyond the window: the mean; the nearest voxel: between the two.
    let volume = FilterVolume([UInt8(10), 20], Vector3(1, 1, 2))
    let kernel = GaussianKernel(sigma: (0, 0, 50), border: border)
    #expect(kernel.halo.x == 200)
    #expect(try volume.filtered(by: kernel, tiles: Vector3(1, 1, 1)) == [15, 15])
  }

  @Test(arguments: [Vector3(1, 2, 2100), Vector3(2, 300, 3)])
  func `large planes, which are smoothed in blocks, have no seams`(shape: Vector3) throws {
    let size = shape.z * shape.y * shape.x
    let volume = FilterVolume(SyntheticImage(.float32, "noise", size: size), shape)
    let kernel = GaussianKernel(sigma: (0.5, 1, 2))
    let expected = try volume.filtered(by: kernel, tiles: Vector3(2, 90, 500))
    #expect(try volume.filtered(by: kernel) == expected)
  }

  @Test(arguments: [DataType.float16, .float32, .float64])
  func `a voxel that is not a finite number is named by its place in the volume`(
    dataType: DataType
  ) throws {
    var volume = FilterVolume(constant: dataType, Vector3(3, 6, 20), low: 2)
    let infinity: [UInt8] =
      switch dataType {
      case .float16: withUnsafeBytes(of: Float16.infinity) { Array($0) }
      case .float32: withUnsafeBytes(of: -Float.infinity) { Array($0) }
      default: withUnsafeBytes(of: Double.nan) { Array($0) }
      }
    let start = ((2 * 6 + 4) * 20 + 17) * dataType.byteCount
    volume.bytes.replaceSubrange(start..<start + dataType.byteCount, with: infinity)
    let fault = #expect(throws: Fault.self) {
      try volume.filtered(
        by: GaussianKernel(sigma: (0.2, 0.3, 0.4)), tiles: Vector3(2, 4, 7))
    }
    #expect(fault?.kind == .task)
    #expect(fault?.message == "voxel 2, 4, 17 is not a finite number")
    #expect(
      fault?.facts == ["indices are z, y, x in the volume; the type is \(dataType.rawValue)"])
  }
}

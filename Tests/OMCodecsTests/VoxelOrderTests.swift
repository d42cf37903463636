import OMCodecs
import OMGrid
import OMJSON
import Testing

/// Byte order and axis order of stored voxels.
struct VoxelOrderTests {
  @Test(arguments: DataType.allCases)
  func `big-endian voxels are turned round`(dataType: DataType) throws {
    let width = dataType.byteCount
    let stored = (0..<24 * width).map { UInt8($0 % 2) }
    let expected = (0..<24).flatMap { stored[$0 * width..<($0 + 1) * width].reversed() }
    let v2 = try pipeline(compressor: .null, byteOrder: .big, chunkShape: [24], dataType)
    #expect(try v2.decoded(stored) == expected)
    let bytes: JSON = ["name": "bytes", "configuration": ["endian": "big"]]
    #expect(try pipeline([bytes], chunkShape: [24], dataType).decoded(stored) == expected)
  }

  @Test(arguments: [DataType.uint8, .uint16, .float32, .float64], [[3, 4, 5], [40, 1, 70], [7]])
  func `order F is read as C order`(dataType: DataType, shape: [Int]) throws {
    let pipeline = try pipeline(
      compressor: .null, isColumnMajor: true, chunkShape: shape, dataType)
    let order = Array(shape.indices.reversed())
    expectOrder(order, shape, dataType, try pipeline.decoded(stored(shape, dataType)))
  }

  @Test(arguments: [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]])
  func `every transpose is undone`(order: [Int]) throws {
    for shape in [[3, 4, 5], [2, 70, 3], [33, 2, 65], [1, 6, 4]] {
      let pipeline = try pipeline(
        [transpose(order), ["name": "bytes"]], chunkShape: shape, .uint8)
      expectOrder(order, shape, .uint8, try pipeline.decoded(stored(shape, .uint8)))
    }
  }

  @Test func `two transposes are undone one after the other`() throws {
    // The second one counts the axes of the first one's result: 1,2,0 and then 0,2,1 store 1,0,2.
    let codecs: JSON = [transpose([1, 2, 0]), transpose([0, 2, 1]), ["name": "bytes"]]
    let decoded = try pipeline(codecs, chunkShape: [3, 4, 5], .uint8)
      .decoded(stored([3, 4, 5], .uint8))
    expectOrder([1, 0, 2], [3, 4, 5], .uint8, decoded)
  }

  @Test func `true is 1 whatever was stored`() throws {
    let pipeline = try pipeline([["name": "bytes"]], chunkShape: [4], .bool)
    #expect(try pipeline.decoded([0, 1, 2, 255]) == [0, 1, 1, 1])
  }

  /// Stored voxels that are all different as far as one byte goes.
  private func stored(_ shape: [Int], _ dataType: DataType) -> [UInt8] {
    (0..<shape.reduce(dataType.byteCount, *)).map { UInt8(truncatingIfNeeded: $0 &* 7) }
  }

  private func transpose(_ order: [Int]) -> JSON {
    let list = JSON.array(order.map { JSON($0) })
    return ["name": "transpose", "configuration": ["order": list]]
  }

  /// Expects that voxel a of the result is voxel b of the stored chunk with b[i] = a[order[i]].
  private func expectOrder(
    _ order: [Int], _ shape: [Int], _ dataType: DataType, _ decoded: [UInt8],
    at place: SourceLocation = #_sourceLocation
  ) {
    let width = dataType.byteCount
    let stored = stored(shape, dataType)
    let strides = rowMajorStrides(order.map { shape[$0] })
    var expected: [UInt8] = []
    forEachPosition(in: Region(wholeOf: shape)) { position in
      let source = zip(order, strides).reduce(0) { $0 + position[$1.0] * $1.1 }
      expected += stored[source * width..<(source + 1) * width]
    }
    #expect(decoded == expected, sourceLocation: place)
  }
}

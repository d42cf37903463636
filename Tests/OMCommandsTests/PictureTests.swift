import OMCodecs
import OMJSON
import OMStore
import OMZarr
import Testing

@testable import OMCommands

@Suite struct PictureTests {
  @Test func `a picture becomes a PNG of its size`() throws {
    var picture = Picture(width: 3, height: 2)
    picture.paint(4, .white)
    let png = try picture.png()
    #expect(png.prefix(8) == [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])
    #expect(png[16..<24] == [0, 0, 0, 3, 0, 0, 0, 2])
    // Bit depth 8, colour type 2: RGB.
    #expect(png[24..<26] == [8, 2])
  }

  @Test func `light adds up and stops at the brightest`() {
    var picture = Picture(width: 2, height: 1)
    picture.add([1, 0.5], Colour(red: 1, green: 0, blue: 0))
    picture.add([1, 0], Colour(red: 1, green: 1, blue: 0))
    #expect(picture.bytes == [255, 255, 0, 128, 0, 0])
  }

  @Test func `contrast leaves out the extremes`() {
    let values = (0...1000).map(Double.init)
    let contrast = Contrast(of: values + [.nan, .infinity])
    #expect(contrast.low == 10)
    #expect(contrast.high == 998)
    #expect(contrast.brightness([10, 504, 998, 5000, -3, .nan]) == [0, 0.5, 1, 1, 0, 0])
  }

  @Test func `a few voxels on a flat background are seen`() {
    var values = [Double](repeating: 7, count: 10_000)
    values[5] = 9
    let brightness = Contrast(of: values).brightness(values)
    #expect(brightness[5] == 1)
    #expect(brightness[6] == 0)
  }

  @Test(arguments: [[], [.nan], [3, 3, 3]] as [[Double]])
  func `a plane without contrast is black`(values: [Double]) {
    #expect(Contrast(of: values).brightness(values).allSatisfy { $0 == 0 })
  }

  @Test func `only the inner border of an object is drawn`() {
    let rows: [[Double]] = [
      [0, 0, 0, 0, 0], [0, 1, 1, 1, 0], [0, 1, 1, 1, 2], [0, 1, 1, 1, 2], [0, 0, 0, 0, 2],
    ]
    var picture = Picture(width: 5, height: 5)
    picture.drawOutlines(of: Plane(width: 5, values: rows.flatMap { $0 }))
    let painted = (0..<25).filter { pixel in
      picture.bytes[pixel * 3..<pixel * 3 + 3].contains { $0 > 0 }
    }
    #expect(painted == [6, 7, 8, 11, 13, 14, 16, 17, 18, 19, 24])
  }

  @Test func `neighbouring numbers have colours far apart`() {
    for label in 1..<1000 {
      let (one, next) = (Colour(ofObject: Double(label)), Colour(ofObject: Double(label + 1)))
      let difference =
        abs(one.red - next.red) + abs(one.green - next.green) + abs(one.blue - next.blue)
      #expect(difference > 0.5)
    }
  }
}

@Suite struct PlaneGridTests {
  /// A v2 array without compression: voxel (z, y, x) is 100 z + 10 y + x.
  private func array() throws -> ZarrArray {
    let store = MemoryStore()
    let document: JSON = [
      "zarr_format": 2, "shape": [2, 5, 7], "chunks": [1, 3, 4], "dtype": "<u2", "fill_value": 9,
      "order": "C", "compressor": .null, "filters": .null, "dimension_separator": "/",
    ]
    store[".zarray"] = document.bytes()
    for row in 0..<2 {
      for column in 0..<2 {
        var chunk: [UInt8] = []
        for y in 0..<3 {
          for x in 0..<4 {
            let value = 100 + 10 * (row * 3 + y) + column * 4 + x
            chunk += [UInt8(value & 0xFF), UInt8(value >> 8)]
          }
        }
        store["1/\(row)/\(column)"] = chunk
      }
    }
    return try ZarrArray.open(store, path: "")
  }

  private func read(z: Int, rows: [Int], columns: [Int]) throws -> [Double] {
    let grid = PlaneGrid(yAxis: 1, xAxis: 2, index: [z, 0, 0], rows: rows, columns: columns)
    return try grid.read(ChunkReader(try array(), context: CodecContext())).values
  }

  @Test func `every pixel is its nearest voxel, across chunks`() throws {
    #expect(
      try read(z: 1, rows: [0, 2, 3], columns: [1, 3, 4, 6]) == [
        101, 103, 104, 106, 121, 123, 124, 126, 131, 133, 134, 136,
      ])
  }

  @Test func `a voxel may stand for several pixels`() throws {
    #expect(try read(z: 1, rows: [4, 4], columns: [2, 2, 3]) == [142, 142, 143, 142, 142, 143])
  }

  @Test func `chunks that are not stored show the fill value`() throws {
    #expect(try read(z: 0, rows: [0, 4], columns: [0, 6]) == [9, 9, 9, 9])
  }

  @Test(arguments: [
    (4, 4, [0, 1, 2, 3]), (2, 4, [1, 3]), (3, 9, [1, 4, 7]), (4, 2, [0, 0, 1, 1]),
  ])
  func `pixels spread evenly over voxels`(pixels: Int, voxels: Int, places: [Int]) {
    #expect(PlaneGrid.places(pixels: pixels, over: voxels) == places)
  }
}

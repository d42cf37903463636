import OMGrid
import Testing

@testable import OMTask

/// Labels of a volume, which are looked at in boxes of some size.
private struct LabelledVolume {
  let labels: [UInt16]
  let shape: Vector3

  init(_ shape: Vector3, _ label: (_ z: Int, _ y: Int, _ x: Int) -> Int) {
    self.shape = shape
    labels = (0..<shape.z * shape.y * shape.x).map {
      UInt16(label($0 / (shape.y * shape.x), $0 / shape.x % shape.y, $0 % shape.x))
    }
  }

  private var isFlat: Bool { shape.z == 1 }

  /// What all boxes found, each with no more around it than is asked for.
  func objects(_ need: SumsNeed, cut: Vector3) -> MeasuredObjects {
    let layout = SumsLayout(need, dataType: .uint8, channels: 0)
    var all = ObjectSums(layout)
    for z in stride(from: 0, to: shape.z, by: cut.z) {
      for y in stride(from: 0, to: shape.y, by: cut.y) {
        for x in stride(from: 0, to: shape.x, by: cut.x) {
          let core = BoxCorners(
            origin: Vector3(z, y, x),
            shape: Vector3(
              min(cut.z, shape.z - z), min(cut.y, shape.y - y), min(cut.x, shape.x - x)))
          var part = ObjectSums(layout)
          let isKnown = add(core, need, &part)
          #expect(isKnown)
          all.merge(part)
        }
      }
    }
    let space = MeasuredSpace(
      axes: ["z", "y", "x"], shape: [shape.z, shape.y, shape.x], sizes: [1, 0.5, 0.5],
      offsets: [0, 0, 0])
    return MeasuredObjects(all, space: space, channelNames: [], labelType: .uint16)
  }

  /// Copies a box with what is around it, so that nothing else can be seen, and adds it.
  private func add(_ core: BoxCorners, _ need: SumsNeed, _ sums: inout ObjectSums) -> Bool {
    let (before, behind) = need.halo
    func grown(_ low: Int, _ high: Int, _ size: Int, _ isThin: Bool) -> Range<Int> {
      isThin ? low..<high : max(0, low - before)..<min(size, high + behind)
    }
    let planes = grown(core.low.z, core.high.z, shape.z, isFlat)
    let rows = grown(core.low.y, core.high.y, shape.y, false)
    let columns = grown(core.low.x, core.high.x, shape.x, false)
    let held = planes.flatMap { z in
      rows.flatMap { y in columns.map { labels[(z * shape.y + y) * shape.x + $0] } }
    }
    let box = RowBox(
      origin: Vector3(planes.lowerBound, rows.lowerBound, columns.lowerBound),
      shape: Vector3(planes.count, rows.count, columns.count),
      strides: (row: columns.count, plane: rows.count * columns.count))
    let whole = BoxCorners(origin: Vector3(0, 0, 0), shape: shape)
    return held.withUnsafeBytes { bytes in
      guard let start = bytes.baseAddress else { return false }
      return sums.addShapes(
        .uint16,
        SurroundedLabels(start, box, core: core, whole: whole, isFlat: isFlat), time: 0)
    }
  }

  func eulerNumbers(cut: Vector3? = nil) -> TableColumn.Values {
    objects(SumsNeed(euler: true), cut: cut ?? shape).eulerColumns[0].values
  }
}

@Suite struct EulerNumberTests {
  @Test func `a corner in the middle of an object or of nothing counts nothing`() {
    #expect(EulerNumber.shares[0] == 0)
    #expect(EulerNumber.shares[255] == 0)
    // Eight corners of a voxel are one piece.
    #expect(EulerNumber.shares[1] == 1)
  }

  @Test func `pieces, tunnels and cavities are counted`() {
    let block = LabelledVolume(Vector3(5, 5, 5)) { z, y, x in
      [z, y, x].allSatisfy { 1...3 ~= $0 } ? 4 : 0
    }
    #expect(block.eulerNumbers() == .int64([1]))
    let hollow = LabelledVolume(Vector3(3, 3, 3)) { z, y, x in z == 1 && y == 1 && x == 1 ? 0 : 1 }
    #expect(hollow.eulerNumbers() == .int64([2]))
    let ring = LabelledVolume(Vector3(3, 4, 5)) { _, y, x in 1...2 ~= y && 1...2 ~= x ? 0 : 1 }
    #expect(ring.eulerNumbers() == .int64([0]))
    let corners = LabelledVolume(Vector3(2, 2, 2)) { z, y, x in z == y && y == x ? 1 : 0 }
    #expect(corners.eulerNumbers() == .int64([1]))
  }

  @Test func `of flat objects holes are counted`() {
    let holes = LabelledVolume(Vector3(1, 5, 9)) { _, y, x in y % 2 == 1 && x % 2 == 1 ? 0 : 7 }
    #expect(holes.eulerNumbers() == .int64([-7]))
    let pieces = LabelledVolume(Vector3(1, 5, 9)) { _, y, x in y % 2 + x % 2 == 0 ? 7 : 0 }
    #expect(pieces.eulerNumbers() == .int64([15]))
  }
}

@Suite struct ShapesOfObjectsTests {
  @Test(arguments: [1, 2, 3, 5, 11])
  func `cutting labels changes no Euler number`(cut: Int) {
    let volume = LabelledVolume(Vector3(5, 11, 12)) { z, y, x in
      (z * 7919 + y * 104_729 + x * 1_299_709) % 11 % 4
    }
    let whole = volume.eulerNumbers()
    #expect(volume.eulerNumbers(cut: Vector3(cut, cut + 1, cut)) == whole)
    #expect(volume.eulerNumbers(cut: Vector3(1, 11, cut)) == whole)
  }

  @Test(arguments: [1, 2, 3, 5, 11])
  func `cutting labels changes no perimeter`(cut: Int) {
    let volume = LabelledVolume(Vector3(1, 23, 27)) { _, y, x in
      (y * 104_729 + x * 1_299_709) % 13 < 3 ? 0 : (y / 7 + x / 9) % 4
    }
    let need = SumsNeed(euler: true, contours: true)
    let whole = volume.objects(need, cut: volume.shape)
    let parts = volume.objects(need, cut: Vector3(1, cut, cut + 2))
    #expect(whole.count == 3)
    #expect(parts.perimeterColumns == whole.perimeterColumns)
    #expect(parts.eulerColumns == whole.eulerColumns)
  }

  @Test func `a square is as long around as its border voxels`() {
    let volume = LabelledVolume(Vector3(1, 9, 9)) { _, y, x in
      2...6 ~= y && 2...6 ~= x ? 1 : 0
    }
    let columns = volume.objects(SumsNeed(contours: true), cut: volume.shape).perimeterColumns
    #expect(columns.map(\.name).contains("perimeter_crofton_micrometer"))
    #expect(columns[0].values == .float64([16]))
    #expect(columns[2].values == .float64([8]))
  }

  @Test func `numbers with fractions are no labels`() {
    var sums = ObjectSums(SumsLayout(SumsNeed(euler: true), dataType: .uint8, channels: 0))
    let voxels: [Float] = [0]
    let box = RowBox(
      origin: Vector3(0, 0, 0), shape: Vector3(1, 1, 1), strides: (row: 1, plane: 1))
    let all = BoxCorners(origin: Vector3(0, 0, 0), shape: Vector3(1, 1, 1))
    voxels.withUnsafeBytes { bytes in
      guard let start = bytes.baseAddress else { return }
      let labels = SurroundedLabels(start, box, core: all, whole: all, isFlat: true)
      let isKnown = sums.addShapes(.float32, labels, time: 0)
      #expect(!isKnown)
    }
  }
}

@Suite struct SortedVoxelsTests {
  private let voxels = SortedVoxels(
    values: [(value: 0, count: 2), (value: 3, count: 1), (value: 255, count: 1)], offset: -128,
    count: 4)

  @Test func `quantiles lie between the two nearest voxels`() {
    // NumPy: numpy.quantile(numpy.array([-128, -128, -125, 127.0]), …)
    #expect([0, 0.25, 0.5, 0.75, 1].map(voxels.quantile) == [-128, -128, -126.5, -62, 127])
    #expect(voxels.quantile(0.9) == 51.40000000000005)
    #expect(voxels.median == -126.5)
  }

  @Test func `one voxel is every quantile`() {
    let one = SortedVoxels(values: [(value: 9, count: 1)], offset: 0, count: 1)
    #expect([0, 0.3, 0.5, 1].allSatisfy { one.quantile($0) == 9 })
  }
}

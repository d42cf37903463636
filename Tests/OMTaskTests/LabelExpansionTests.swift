import OMGrid
import OMTask
import Testing

@Suite struct LabelExpansionTests {
  /// Grows labels in boxes of a size, each with its halo.
  private func grown(
    _ labels: [UInt16], _ shape: Vector3, _ expansion: LabelExpansion, block: Vector3
  ) -> [UInt16] {
    var made = [UInt16](repeating: 0, count: labels.count)
    let scratch = TileScratch()
    let halo = expansion.halo
    for z in stride(from: 0, to: shape.z, by: block.z) {
      for y in stride(from: 0, to: shape.y, by: block.y) {
        for x in stride(from: 0, to: shape.x, by: block.x) {
          let inner = [
            z..<min(shape.z, z + block.z), y..<min(shape.y, y + block.y),
            x..<min(shape.x, x + block.x),
          ]
          let outer = [
            max(0, z - halo.z)..<min(shape.z, inner[0].upperBound + halo.z),
            max(0, y - halo.y)..<min(shape.y, inner[1].upperBound + halo.y),
            max(0, x - halo.x)..<min(shape.x, inner[2].upperBound + halo.x),
          ]
          var tile: [UInt16] = []
          for a in outer[0] {
            for b in outer[1] {
              for c in outer[2] { tile.append(labels[(a * shape.y + b) * shape.x + c]) }
            }
          }
          let size = Vector3(inner[0].count, inner[1].count, inner[2].count)
          var part = [UInt16](repeating: 0, count: size.z * size.y * size.x)
          expansion.grow(
            .uint16, &tile, Vector3(outer[0].count, outer[1].count, outer[2].count), into: &part,
            size,
            at: Vector3(
              z - outer[0].lowerBound, y - outer[1].lowerBound, x - outer[2].lowerBound),
            scratch: scratch)
          var next = 0
          for a in inner[0] {
            for b in inner[1] {
              for c in inner[2] {
                made[(a * shape.y + b) * shape.x + c] = part[next]
                next += 1
              }
            }
          }
        }
      }
    }
    return made
  }

  @Test(arguments: [0.5, 1, 1.5, 2, 3.3, 50], [LabelFilter.Axes.zyx, .yx])
  func `labels grow the same in any boxes`(distance: Double, axes: LabelFilter.Axes) {
    var random = SystemRandomNumberGenerator()
    let shape = Vector3(5, 8, 11)
    let labels = (0..<shape.z * shape.y * shape.x).map { _ in
      Bool.random(using: &random) && Bool.random(using: &random) && Bool.random(using: &random)
        ? UInt16.random(in: 1...900, using: &random) : 0
    }
    let expansion = LabelExpansion(distance: distance, unit: .pixel, axes: axes)
    let whole = grown(labels, shape, expansion, block: shape)
    for block in [Vector3(1, 1, 1), Vector3(2, 3, 4), Vector3(5, 2, 11)] {
      #expect(grown(labels, shape, expansion, block: block) == whole)
    }
  }

  @Test func `of labels as near the one of the smallest x counts`() {
    let expansion = LabelExpansion(distance: 1, unit: .pixel, axes: .zyx)
    let labels: [UInt16] = [0, 5, 0, 6, 0, 7, 0, 8, 0]
    let made = grown(labels, Vector3(1, 3, 3), expansion, block: Vector3(1, 3, 3))
    #expect(made == [6, 5, 5, 6, 6, 7, 6, 8, 8])
  }
}

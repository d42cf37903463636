import OMGrid
import TestSupport
import Testing

@testable import OMObjects

@Suite struct PaintTests {
  @Test(arguments: MaskPattern.allCases)
  func `a box of a block is painted with the numbers of its components`(pattern: MaskPattern) {
    let shape = Box.Size(4, 5, 70)
    let volume = CutVolumes([pattern], shape, block: shape)
    var block = volume.label(volume.blocks[0], 2)
    // Every third component is removed.
    block.numbers = (0..<block.componentCount).map { $0 % 3 == 2 ? 0 : UInt64($0) * 10 + 5 }
    let labels = volume.floods(2)[0].labels
    for (origin, size) in [
      (Vector3(0, 0, 0), Vector3(4, 5, 70)), (Vector3(1, 2, 3), Vector3(2, 3, 64)),
      (Vector3(3, 4, 69), Vector3(1, 1, 1)), (Vector3(0, 1, 31), Vector3(4, 1, 7)),
    ] {
      var painted = [UInt64](repeating: 0, count: size.z * size.y * size.x)
      block.paint(origin, size) { z, y, columns, number in
        #expect(!columns.isEmpty)
        for x in columns {
          #expect(painted[(z * size.y + y) * size.x + x] == 0)
          painted[(z * size.y + y) * size.x + x] = number
        }
      }
      var expected: [UInt64] = []
      for z in origin.z..<origin.z + size.z {
        for y in origin.y..<origin.y + size.y {
          for x in origin.x..<origin.x + size.x {
            let label = labels[(z * shape.y + y) * shape.x + x]
            expected.append(label == 0 ? 0 : block.numbers[label - 1])
          }
        }
      }
      #expect(painted == expected, "\(origin) \(size)")
    }
  }

  @Test(arguments: MaskPattern.allCases)
  func `runs that were dropped come back by a second labelling`(pattern: MaskPattern) {
    let shape = Box.Size(4, 5, 70)
    let volume = CutVolumes([pattern], shape, block: shape)
    let block = volume.label(volume.blocks[0], 1)
    var dropped = block.droppingRuns()
    #expect(dropped.runs.isEmpty && dropped.rowStarts.isEmpty)
    #expect(dropped.byteCount == block.byteCount - block.runByteCount)
    dropped.takeRuns(of: volume.label(volume.blocks[0], 1))
    #expect(dropped.runs == block.runs && dropped.rowStarts == block.rowStarts)
  }

  @Test(arguments: MaskPattern.allCases, [Vector3(2, 2, 16), Vector3(1, 1, 1), Vector3(3, 4, 50)])
  func `chunks with foreground are counted`(pattern: MaskPattern, chunk: Vector3) {
    let shape = Box.Size(4, 5, 70)
    let volume = CutVolumes([pattern], shape, block: shape)
    var occupied: Set<Vector3> = []
    for z in 0..<4 {
      for y in 0..<5 {
        for x in 0..<70 where volume.masks[0][(z * 5 + y) * 70 + x] != 0 {
          occupied.insert(Vector3(z / chunk.z, y / chunk.y, x / chunk.x))
        }
      }
    }
    #expect(volume.label(volume.blocks[0], 1).occupiedChunks(chunk) == occupied.count)
  }
}

import OMGrid
package import OMObjects

/// Volumes of masks or of labels, cut into blocks as an image is cut into regions.
package struct CutVolumes: Sendable {
  /// The shape of each volume.
  package let shape: Box.Size
  /// The masks, one per volume, in C order; with `comparesValues` labels.
  package let masks: [[UInt8]]
  /// Whether only voxels of one value are joined.
  package let comparesValues: Bool
  /// The voxels that are processed.
  package let part: Box
  /// Whether the image has a z axis.
  package let hasDepth: Bool
  /// The grid of blocks.
  package let grid: BlockGrid
  /// The blocks that hold processed voxels, volume by volume in raster order.
  package let blocks: [Block]

  /// Cuts volumes.
  ///
  /// - Parameters:
  ///   - patterns: The mask of each volume.
  ///   - shape: The shape of each volume.
  ///   - block: The shape of a whole block.
  ///   - part: The voxels that are processed; nil for all.
  ///   - hasDepth: Whether the image has a z axis.
  package init(
    _ patterns: [MaskPattern], _ shape: Box.Size, block: Box.Size, part: Box? = nil,
    hasDepth: Bool = true
  ) {
    self.init(
      masks: patterns.map { $0.voxels(shape) }, shape, block: block, part: part,
      hasDepth: hasDepth, comparesValues: false)
  }

  /// Cuts volumes of labels, of which only equal ones are joined.
  package init(
    labels patterns: [LabelPattern], _ shape: Box.Size, block: Box.Size, part: Box? = nil
  ) {
    self.init(
      masks: patterns.map { $0.voxels(shape) }, shape, block: block, part: part, hasDepth: true,
      comparesValues: true)
  }

  private init(
    masks: [[UInt8]], _ shape: Box.Size, block: Box.Size, part: Box?, hasDepth: Bool,
    comparesValues: Bool
  ) {
    self.shape = shape
    self.masks = masks
    self.comparesValues = comparesValues
    self.hasDepth = hasDepth
    let part = part ?? Box(low: Box.Size(0, 0, 0), high: shape)
    self.part = part
    let cells = Vector3(
      (shape.z + block.z - 1) / block.z, (shape.y + block.y - 1) / block.y,
      (shape.x + block.x - 1) / block.x)
    grid = BlockGrid(
      volumes: masks.count, volumeShape: Vector3(shape.z, shape.y, shape.x), gridShape: cells,
      border: BlockGrid.Border(
        low: Vector3(part.low.z, part.low.y, part.low.x),
        high: Vector3(part.high.z, part.high.y, part.high.x), hasDepth: hasDepth))
    var blocks: [Block] = []
    for volume in masks.indices {
      for z in 0..<cells.z {
        for y in 0..<cells.y {
          for x in 0..<cells.x {
            let rangeZ = (z * block.z..<(z + 1) * block.z).clamped(to: part.low.z..<part.high.z)
            let rangeY = (y * block.y..<(y + 1) * block.y).clamped(to: part.low.y..<part.high.y)
            let rangeX = (x * block.x..<(x + 1) * block.x).clamped(to: part.low.x..<part.high.x)
            if rangeZ.isEmpty || rangeY.isEmpty || rangeX.isEmpty { continue }
            blocks.append(
              Block(
                volume: volume, position: Vector3(z, y, x),
                origin: Vector3(rangeZ.lowerBound, rangeY.lowerBound, rangeX.lowerBound),
                shape: Vector3(rangeZ.count, rangeY.count, rangeX.count)))
          }
        }
      }
    }
    self.blocks = blocks
  }

  /// Labels one block.
  package func label(_ block: Block, _ order: Int) -> LabelledBlock {
    if comparesValues { return parts(block, order) }
    let rows = BitRows()
    rows.clear(rows: block.rowCount, length: block.shape.x)
    masks[block.volume].withUnsafeBufferPointer { mask in
      for row in 0..<block.rowCount {
        let z = block.origin.z + row / block.shape.y
        let y = block.origin.y + row % block.shape.y
        let start = (z * shape.y + y) * shape.x + block.origin.x
        if let base = mask.baseAddress {
          rows.insert(base + start, count: block.shape.x, row: row, x: 0)
        }
      }
    }
    return BlockLabeller().label(rows, block: block, in: grid, order: order, findsBorder: true)
  }

  private func parts(_ block: Block, _ order: Int) -> LabelledBlock {
    var labels: [UInt8] = []
    for row in 0..<block.rowCount {
      let z = block.origin.z + row / block.shape.y
      let y = block.origin.y + row % block.shape.y
      let start = (z * shape.y + y) * shape.x + block.origin.x
      labels += masks[block.volume][start..<start + block.shape.x]
    }
    return BlockLabeller().parts(
      of: labels, block: block, in: grid, order: order, findsBorder: true)
  }

  /// What the objects of each volume are, cut or not.
  package func floods(_ order: Int) -> [Flood] {
    masks.map { Flood($0, shape, order: order, in: part, hasDepth: hasDepth) }
  }

  /// Visits every voxel of a labelled block.
  ///
  /// - Parameters:
  ///   - block: The block, with its runs.
  ///   - body: Gets the voxel's index within its volume and its component within the block.
  package func visit(_ block: LabelledBlock, _ body: (Int, Int) -> Void) {
    for row in 0..<block.block.rowCount {
      let z = block.block.origin.z + row / block.block.shape.y
      let y = block.block.origin.y + row % block.block.shape.y
      let start = (z * shape.y + y) * shape.x + block.block.origin.x
      for run in block.runs[Int(block.rowStarts[row])..<Int(block.rowStarts[row + 1])] {
        for x in run.start..<run.end { body(start + Int(x), Int(run.component)) }
      }
    }
  }
}

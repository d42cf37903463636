package import OMGrid
package import OMJSON
package import OMTask
package import OMZarr

/// One image of ours as it will be made, whatever makes its voxels: what is read, what is written,
/// and how it is cut.
package protocol ArrayPlan: Sendable {
  /// The name of the image to make.
  var name: String { get }
  /// What it is called in messages, such as `label nuclei`.
  var title: String { get }
  /// The arrays of the source image from the level that is read to the coarsest.
  var sources: [ZarrArray] { get }
  /// The regions of the image to make.
  var grid: RegionGrid { get }
  /// For each level but the first, pixel size over that of the finer one, per axis of the image to
  /// make.
  var ratios: [[Double]] { get }
  /// How its coarser levels are made.
  var downsampling: Downsampling { get }
  /// Its type, before the number of objects is known.
  var expectedDataType: DataType { get }
  /// The voxels of the source that are processed.
  var processedVoxels: Int { get }

  /// Its levels, finest first.
  func layouts(_ dataType: DataType) throws(Fault) -> [ArrayLayout]
  /// The boxes of the source that hold the voxels of a region; halos do not count.
  func sourceBoxes(of region: Region) -> [Region]
  /// How often each processed voxel is decoded.
  ///
  /// - Parameter memory: Bytes for each worker.
  /// - Returns: The mean over all voxels, for regions that do not lie at the edge of the image.
  func decodings(memory: Int) -> Double
  /// The passes over its regions in their order.
  ///
  /// - Parameters:
  ///   - memory: Bytes for each worker.
  ///   - preset: Whether thresholds were found before, over all images.
  /// - Returns: The passes.
  func passes(memory: Int, preset: Bool) -> [ImagePass]
  /// Bytes of the buffers of one worker.
  ///
  /// - Parameter share: Bytes that the worker may use.
  /// - Returns: How many it will use at most.
  func workerBytes(share: Int) -> Int
  /// Whether memory is needed between two passes.
  var findsObjects: Bool { get }
  /// Bytes for each processed voxel that are kept between two passes at most.
  var keptBytesPerVoxel: Int { get }
  /// By which factor the encoded voxels are sure to be smaller.
  var shrinking: Int { get }
  /// Whether the finest level is written; it is not where an image gets coarser levels only.
  var storesFinest: Bool { get }
  /// Bytes of the write units of coarser levels that wait for their last chunks.
  var openUnitBytes: Int { get }
}

extension ArrayPlan {
  package var storesFinest: Bool { true }
  /// Two bytes hold far more runs of objects than images show; the limit is enforced.
  package var keptBytesPerVoxel: Int { 2 }

  package var openUnitBytes: Int {
    let label = expectedDataType.byteCount
    let chunk = source.metadata.innerChunkShape.reduce(label, *)
    return sources.dropFirst().reduce(0) { sum, level in
      let unit = level.metadata.storedChunkShape.reduce(label, *)
      return sum + min(unit, level.metadata.shape.reduce(label, *)) / shrinking + chunk
    }
  }

  /// The levels that are written, finest first.
  func written(_ dataType: DataType) throws(Fault) -> [ArrayLayout] {
    Array(try layouts(dataType).dropFirst(storesFinest ? 0 : 1))
  }

  /// The array that is read.
  package var source: ZarrArray { sources[0] }

  /// The shape of the image to make.
  package var shape: [Int] { grid.cells.arrayShape }

  /// The numbers of the write units of the finest level that a piece makes.
  func units(of piece: Piece) -> [Int] {
    var numbers: [Int] = []
    forEachPosition(in: grid.units.cells(touching: piece.region)) {
      numbers.append(grid.units.number(at: $0))
    }
    return numbers
  }
}

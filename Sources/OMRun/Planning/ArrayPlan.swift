package import OMGrid
package import OMJSON
package import OMTask
package import OMZarr

/// One image or table of ours as it will be made, whatever makes its voxels: what is read, what is written,
/// and how it is cut.
package protocol ArrayPlan: Sendable {
  /// The name of the image to make.
  var name: String { get }
  /// What it is called in messages, such as `label nuclei`.
  var title: String { get }
  /// The arrays of the source image from the level that is read to the coarsest.
  var sources: [ZarrArray] { get }
  /// All arrays that are read.
  var inputs: [ZarrArray] { get }
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
  /// Bytes that are read for each processed voxel.
  var bytesPerVoxel: Int { get }
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
  /// Bytes for each voxel that may be kept between two passes at most.
  var keptPerVoxel: Int { get }
  /// By which factor the encoded voxels are sure to be smaller.
  var shrinking: Int { get }
}

extension ArrayPlan {
  /// The array that is read.
  package var source: ZarrArray { sources[0] }
  package var inputs: [ZarrArray] { sources }
  /// Two bytes hold far more runs of objects than images show.
  package var keptPerVoxel: Int { 2 }
  package var bytesPerVoxel: Int { source.metadata.dataType.byteCount }

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

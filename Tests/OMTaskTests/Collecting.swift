import Glibc
import OMGrid
import OMJSON
import OMTask
import Testing

/// The statistics of a whole image, after the last pass.
func statistics(
  of image: SyntheticImage, for need: StatisticsNeed
) throws -> VoxelStatistics {
  let bytes = image.bytes
  var statistics = VoxelStatistics(need: need, dataType: image.dataType)
  #expect(statistics.add(bytes) == nil)
  if statistics.needsSecondPass {
    statistics = try VoxelStatistics(counting: statistics)
    #expect(statistics.add(bytes) == nil)
  }
  return statistics
}

/// The statistics of a whole image, collected once for all methods that need the same.
struct Collected {
  private let image: SyntheticImage
  private var byNeed: [StatisticsNeed: VoxelStatistics] = [:]

  init(_ image: SyntheticImage) { self.image = image }

  /// The threshold, nil when the method finds none.
  mutating func threshold(by method: ThresholdMethod) throws -> Double? {
    do {
      return try method.threshold(of: statistics(for: try #require(method.need)))
    } catch let fault as Fault where fault.kind == .task {
      return nil
    }
  }

  private mutating func statistics(for need: StatisticsNeed) throws -> VoxelStatistics {
    let shared = image.dataType.byteCount < 4 ? .histogram : need
    if let found = byNeed[shared] { return found }
    let statistics = try OMTaskTests.statistics(of: image, for: shared)
    byNeed[shared] = statistics
    return statistics
  }
}

extension VoxelStatistics {
  /// Adds voxels of this partial's type in one row.
  mutating func add<Voxel: BitwiseCopyable>(_ voxels: [Voxel]) -> Int? {
    voxels.withUnsafeBytes { buffer in
      let count = buffer.count / dataType.byteCount
      return buffer.baseAddress.flatMap {
        add(rows: $0, rowLength: count, rowCount: 1, rowStride: count)
      }
    }
  }

  /// Adds voxels given as a part of some bytes.
  mutating func add(_ bytes: ArraySlice<UInt8>) -> Int? { add(Array(bytes)) }
}

/// The bytes of a file.
func contents(of path: String) throws -> [UInt8] {
  let file = try #require(fopen(path, "r"))
  defer { fclose(file) }
  var bytes = [UInt8](repeating: 0, count: 1 << 20)
  let count = fread(&bytes, 1, bytes.count, file)
  return Array(bytes.prefix(count))
}

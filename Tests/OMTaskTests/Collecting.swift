import Glibc
import OMGrid
import OMJSON
import OMTask
import Testing

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
    let bytes = image.bytes
    var statistics = VoxelStatistics(need: shared, dataType: image.dataType)
    #expect(statistics.add(bytes) == nil)
    if statistics.needsSecondPass {
      statistics = try VoxelStatistics(counting: statistics)
      #expect(statistics.add(bytes) == nil)
    }
    byNeed[shared] = statistics
    return statistics
  }
}

extension VoxelStatistics {
  /// Adds voxels given as bytes, in one row.
  mutating func add(_ bytes: some Collection<UInt8>) -> Int? {
    let count = bytes.count / dataType.byteCount
    return Array(bytes).withUnsafeBytes { buffer in
      buffer.baseAddress.flatMap {
        add(rows: $0, rowLength: count, rowCount: 1, rowStride: count)
      }
    }
  }
}

/// The bytes of a file.
func contents(of path: String) throws -> [UInt8] {
  let file = try #require(fopen(path, "r"))
  defer { fclose(file) }
  var bytes = [UInt8](repeating: 0, count: 1 << 20)
  let count = fread(&bytes, 1, bytes.count, file)
  return Array(bytes.prefix(count))
}

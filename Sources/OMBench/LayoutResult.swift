/// A way to write or read a volume.
package enum BenchAccess: String, Sendable, CaseIterable {
  case write
  case whole
  case boxes
  case planesZ = "planes z"
  case planesY = "planes y"
  case planesX = "planes x"

  /// All but writing.
  static let reading: [BenchAccess] = [.whole, .boxes, .planesZ, .planesY, .planesX]
}

/// What was measured of one layout.
package struct LayoutResult: Sendable {
  /// The layout.
  package let choice: LayoutChoice
  /// The shape of the volume.
  package let shape: [Int]
  /// Bytes on the disk, without metadata.
  package var storedBytes = 0
  /// Files, without metadata.
  package var files = 0
  /// How often everything was done.
  package var repeats = 0
  /// The voxels' bytes of each access.
  private var bytes: [BenchAccess: Int] = [:]
  private var times: [BenchAccess: [BenchTime]] = [:]

  init(choice: LayoutChoice, shape: [Int]) {
    self.choice = choice
    self.shape = shape
  }

  mutating func add(_ access: BenchAccess, _ time: BenchTime, bytes: Int) {
    times[access, default: []].append(time)
    self.bytes[access] = bytes
  }

  /// Bytes of voxels in a second, the median of all repeats.
  package func rate(_ access: BenchAccess) -> Double {
    let seconds = median((times[access] ?? []).map(\.seconds))
    return seconds > 0 ? Double(bytes[access] ?? 0) / seconds : 0
  }

  /// Seconds of processors for each byte of voxels, the median of all repeats.
  package func cpu(_ access: BenchAccess) -> Double {
    let count = bytes[access] ?? 0
    return count > 0 ? median((times[access] ?? []).map(\.cpu)) / Double(count) : 0
  }

  /// Bytes of voxels over bytes on the disk.
  package var ratio: Double {
    storedBytes > 0 ? Double(bytes[.write] ?? 0) / Double(storedBytes) : 0
  }
}

import OMCodecs
import OMGrid
import OMZarr

/// Which voxels of the region that a worker has in hand count.
///
/// Objects are found in whole boxes, whatever is selected of them: each voxel of a box has a byte here
/// that says whether it counts.
final class AdmittedVoxels {
  /// The boxes of the source, one for each volume.
  fileprivate var parts: [(box: Region, offset: Int)] = []
  fileprivate let bytes = ByteBuffer()
  /// How many voxels of the region count.
  fileprivate(set) var count = 0

  /// What is known of a box of the region; nil when all of its voxels count.
  func find(_ box: Region) -> Admission? {
    guard let part = parts.first(where: { $0.box.contains(box) }),
      let start = bytes.bytes.baseAddress
    else { return nil }
    return Admission(
      box: part.box, bytes: start.assumingMemoryBound(to: UInt8.self) + part.offset)
  }
}

/// Which voxels of a box count: 1 for those that do, in C order.
struct Admission {
  let box: Region
  let bytes: UnsafePointer<UInt8>

  /// The first byte of a position of the source, and the bytes from row to row.
  func rows(at position: [Int]) -> (start: UnsafePointer<UInt8>, stride: Int) {
    let strides = rowMajorStrides(box.shape)
    var offset = 0
    for axis in strides.indices { offset += (position[axis] - box.origin[axis]) * strides[axis] }
    return (bytes + offset, box.shape[box.rank - 1])
  }

  /// Whether a voxel of a region counts.
  func touches(_ region: Region) -> Bool {
    guard let shared = box.intersection(region) else { return false }
    var rows = shared
    rows.shape[rows.rank - 1] = 1
    let length = shared.shape[shared.rank - 1]
    var found = false
    forEachPosition(in: rows) { position in
      if found { return }
      let row = self.rows(at: position).start
      for index in 0..<length where row[index] != 0 {
        found = true
        return
      }
    }
    return found
  }
}

extension LabelPlan {
  /// Whether voxels within the bounds of the selection are left out.
  var leavesOutVoxels: Bool { selection.boxes != nil || masking != nil }

  /// Finds out which voxels of a region count, for the visits that follow.
  ///
  /// - Throws: What reading the masking label throws.
  func admit(_ region: Region, _ worker: Worker) throws {
    let admitted = worker.admitted
    let boxes = parts(of: region).map(\.source)
    let total = boxes.reduce(0) { $0 + $1.count }
    admitted.parts = []
    admitted.count = total
    guard leavesOutVoxels, total > 0 else { return }
    guard let raw = admitted.bytes.replace(byteCount: total).baseAddress else { return }
    let start = raw.bindMemory(to: UInt8.self, capacity: total)
    start.update(repeating: selection.boxes == nil ? 1 : 0, count: total)
    var offset = 0
    for box in boxes {
      let bytes = start + offset
      if selection.boxes != nil {
        let target = VoxelBox(region: box, start: bytes, elementByteCount: 1)
        for part in selection.parts(of: box) { target.fill(part, with: [1]) }
      }
      if let masking, selection.touches(box) {
        try masking.clear(outsideIn: box, bytes, worker, damage: damage)
      }
      admitted.parts.append((box, offset))
      offset += box.count
    }
    var count = 0
    for index in 0..<total { count += Int(start[index]) }
    admitted.count = count
  }

  /// Bytes that this needs.
  var admissionBytes: Int {
    guard leavesOutVoxels else { return 0 }
    let chunk = masking.map {
      $0.array.metadata.innerChunkShape.reduce(2 * $0.array.metadata.dataType.byteCount, *)
    }
    return zip(sourceCell, source.metadata.shape).reduce(1) { $0 * min($1.0, $1.1) }
      + (chunk ?? 0)
  }
}

import OMGrid
import OMJSON
import OMTask
import OMZarr

/// Lines of one plane that lie in one chunk (or in a buffer): `rowCount` rows of `rowLength` voxels.
struct PlaneLines {
  /// The plane, as an index of the image's z axis; 0 where there is none.
  let z: Int
  /// The first row, as an index of the image's y axis.
  let y: Int
  /// The first voxel of each row, as an index of the image's x axis.
  let x: Int
  let rowLength: Int
  let rowCount: Int
  /// The first voxel; nil when all voxels have the fill value.
  let voxels: UnsafeRawPointer?
  /// Voxels between the starts of two rows.
  let rowStride: Int
  /// For each voxel whether it counts, with the bytes from row to row; nil when all do.
  var admitted: (start: UnsafePointer<UInt8>, stride: Int)?
}

extension LabelPlan {
  /// Visits the voxels of a part, chunk by chunk and plane by plane; smoothed ones as `prepare` left
  /// them.
  ///
  /// Lines without a voxel that counts are left out.
  func visit(
    _ part: VolumePart, _ worker: Worker, _ body: (PlaneLines) throws -> Void
  ) throws {
    let admission = leavesOutVoxels ? worker.admitted.find(part.source) : nil
    if recipe.smoothing != nil {
      guard let smooth = worker.smoothed.find(part.source) else {
        throw Fault(.internal, source.path, "a region was not smoothed before it was looked at")
      }
      return try planes(of: part.source, in: smooth.box, smooth.voxels, admission, body)
    }
    let reader = worker.reader(of: source, damage: damage)
    try reader.visit(part.source, where: admission?.touches) { chunk in
      guard let box = chunk.region.intersection(part.source) else { return }
      try planes(of: box, in: chunk.region, chunk.voxels, admission, body)
    }
  }

  /// Says which parts are visited next, so that a server is asked for them in time.
  func expect(_ worker: Worker, _ parts: () -> [VolumePart]) {
    // The region was read as a whole before.
    if recipe.smoothing != nil { return }
    worker.reader(of: source, damage: damage).expect {
      parts().map { part in
        let admission = leavesOutVoxels ? worker.admitted.find(part.source) : nil
        return ExpectedBox(part.source, where: admission?.touches)
      }
    }
  }

  /// Visits the planes of a box that lies in a C-order buffer.
  func planes(
    of box: Region, in buffer: Region, _ voxels: UnsafeRawPointer?, _ admission: Admission?,
    _ body: (PlaneLines) throws -> Void
  ) rethrows {
    let strides = rowMajorStrides(buffer.shape)
    let rank = box.rank
    let byteCount = source.metadata.dataType.byteCount
    var offset = 0
    for axis in 0..<rank { offset += (box.origin[axis] - buffer.origin[axis]) * strides[axis] }
    let depth = axes.space.count == 3 ? axes.space[0] : nil
    for plane in 0..<(depth.map { box.shape[$0] } ?? 1) {
      let start = offset + (depth.map { plane * strides[$0] } ?? 0)
      var first = box.origin
      if let depth { first[depth] += plane }
      let admitted = admission?.rows(at: first)
      if let admitted, countOnes(admitted, box.shape[rank - 1], box.shape[rank - 2]) == 0 {
        continue
      }
      try body(
        PlaneLines(
          z: depth.map { box.origin[$0] + plane } ?? 0, y: box.origin[rank - 2],
          x: box.origin[rank - 1], rowLength: box.shape[rank - 1], rowCount: box.shape[rank - 2],
          voxels: voxels.map { $0 + start * byteCount }, rowStride: strides[rank - 2],
          admitted: admitted))
    }
  }

  /// Refuses a floating-point voxel that is not a finite number, naming its place.
  func notFinite(_ part: VolumePart, _ lines: PlaneLines, offset: Int) -> Fault {
    var position = part.source.origin
    if axes.space.count == 3 { position[axes.space[0]] = lines.z }
    let rank = position.count
    position[rank - 2] = lines.y + offset / max(1, lines.rowStride)
    position[rank - 1] = lines.x + offset % max(1, lines.rowStride)
    return Fault(
      .task, source.path,
      "voxel \(position.map(String.init).joined(separator: ", ")) is not a finite number",
      facts: [
        "indices are in the order of the axes; the type is \(source.metadata.dataType.rawValue)"
      ],
      hint: "replace NaN and infinities before thresholding, or leave them out with --select")
  }
}

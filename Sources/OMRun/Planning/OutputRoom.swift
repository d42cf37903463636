import OMGrid
import OMJSON
import OMStore
import OMZarr

/// What the results of an image take at most on the disk.
struct OutputRoom: Equatable {
  /// Bytes before compression.
  var bytes = 0
  /// Files: write units of all levels, and documents.
  var files = 0

  /// Images hardly ever shrink by more; a disk that has not even this is too small.
  private static let shrinking = 100
  /// Below this nobody asks the disk: images of a plate are small and many.
  private static let small = OutputRoom(bytes: 64 << 20, files: 1000)

  /// Adds up what is written.
  ///
  /// - Throws: `internal` for layouts that cannot be written.
  init(_ plans: [any ArrayPlan]) throws(Fault) {
    for plan in plans {
      for layout in try plan.written(plan.expectedDataType) {
        bytes += layout.shape.reduce(layout.dataType.byteCount, *)
        files += layout.unitGrid.count + layout.documents(attributes: [:]).count
      }
      // Documents of the group and of the list it is in, at most.
      files += 4
    }
  }

  init(bytes: Int, files: Int) {
    self.bytes = bytes
    self.files = files
  }

  /// Refuses what cannot be written, before anything is.
  ///
  /// - Parameters:
  ///   - folder: Where it would be written.
  ///   - limits: The limits that hold.
  /// - Throws: `limit` for too many files, `io` when the disk has too little room for them.
  func check(_ folder: String, limits: Limits = .current) throws(Fault) {
    if files > limits.files {
      throw Fault(
        .limit, folder, "\(files) files would be written, the limit is \(limits.files)",
        hint: "use an image with shards or larger chunks; \(Limits.hint(.files))")
    }
    if bytes <= Self.small.bytes && files <= Self.small.files { return }
    guard let space = try? OutputFolder(path: folder).freeSpace() else { return }
    try check(folder, space)
  }

  /// Refuses what a disk has no room for.
  func check(_ folder: String, _ space: FreeSpace) throws(Fault) {
    if let inodes = space.inodes, files > inodes {
      throw Fault(
        .io, folder, "\(files) files are to be written, the file system takes \(inodes) more",
        hint: "write elsewhere with --output, or use an image with shards")
    }
    if bytes / Self.shrinking > space.bytes {
      throw Fault(
        .io, folder,
        "\(bytes) bytes before compression are to be written, \(space.bytes) are free",
        hint: "free some space, or write elsewhere with --output")
    }
  }
}

import OMGrid
package import OMJSON
import OMObjects

/// Where time, channel and space lie among the axes of an image and of its label image.
package struct ImageAxes: Sendable, Equatable {
  /// The time axis.
  package let time: Int?
  /// The channel axis.
  package let channel: Int?
  /// The spatial axes in array order; two or three, always the last ones.
  package let space: [Int]

  /// Reads the kinds of the axes.
  ///
  /// - Parameters:
  ///   - kinds: For each axis `time`, `channel` or `space`.
  ///   - subject: What to name in a fault.
  /// - Throws: A fault of kind `unsupported` for other axes than time, channel, then space.
  package init(kinds: [String], subject: String) throws(Fault) {
    time = kinds.firstIndex(of: "time")
    channel = kinds.firstIndex { $0 != "time" && $0 != "space" }
    space = kinds.indices.filter { kinds[$0] == "space" }
    let before = kinds.count - space.count
    guard (2...3).contains(space.count), space.first == before,
      before == (time == nil ? 0 : 1) + (channel == nil ? 0 : 1)
    else {
      throw Fault(
        .unsupported, subject,
        "axes of kinds \(kinds.joined(separator: ", ")) cannot be processed, "
          + "time, channel, then 2 or 3 axes of space can")
    }
  }

  /// The size along z, y and x of a shape; 1 plane where there is no z.
  func vector(_ shape: [Int]) -> Vector3 {
    Vector3(
      space.count == 3 ? shape[space[0]] : 1, shape[space[space.count - 2]],
      shape[space[space.count - 1]])
  }
}

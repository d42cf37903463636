import OMJSON
import OMRun

/// The file that `omtask plan --out-json` writes: the parts of a compound task, as Fractal reads them.
///
/// Each part owns whole write units, so no two of them write the same file. An image that is small, is
/// done, or cannot be opened is one part: whoever runs that says what is to be said.
enum PartList {
  /// An image is cut so that a part reads about so many bytes in a pass.
  private static let bytesPerPart = 1 << 30

  /// The document.
  ///
  /// - Parameters:
  ///   - images: The images of the call, in their order.
  ///   - parts: Into how many parts each is cut; nil goes by its size.
  ///   - parameters: What the user gave, for whoever runs a part.
  ///   - plan: Makes the plan of one image.
  /// - Returns: An object with the one key that Fractal knows.
  /// - Throws: A fault of kind `limit` when there are more parts than Fractal takes.
  static func document(
    of images: [String], parts: Int?, parameters: JSONObject, plan: (String) throws -> RunPlan
  ) throws(Fault) -> JSON {
    var list: [JSON] = []
    for image in images {
      let count = (try? plan(image)).map { self.count($0, parts) } ?? 1
      for part in 0..<count {
        list.append([
          "zarr_url": .string(image),
          "init_args": [
            "part": JSON(part), "parts": JSON(count), "parameters": .object(parameters),
          ],
        ])
      }
    }
    if list.count > PartCount.range.upperBound {
      throw Fault(
        .limit, "", "there are \(list.count) parts, Fractal takes \(PartCount.range.upperBound)",
        hint: "set a smaller number of `parts`, or run fewer images at a time")
    }
    return ["parallelization_list": .array(list)]
  }

  /// The parts of one image: never more than it has regions.
  private static func count(_ plan: RunPlan, _ wanted: Int?) -> Int {
    guard plan.images.count == 1, let image = plan.images.first, image.takesParts,
      let first = image.passes.first
    else { return 1 }
    let bySize = 1 + image.bytesRead / image.passes.count / bytesPerPart
    return max(1, min(wanted ?? bySize, first.regions.count, PartCount.range.upperBound))
  }
}
